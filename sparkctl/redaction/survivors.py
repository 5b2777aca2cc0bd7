"""Looks for what must not have survived: known values and canaries, in every form, in bytes about to be sealed."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sparkctl.redaction.canaries import Canary
from sparkctl.redaction.guards import whole_word
from sparkctl.redaction.known import Known
from sparkctl.redaction.linear import Pattern, literal
from sparkctl.redaction.standins import Class

BLOCK = 2**20
MOST = 100
"""Survivors that are told; one is enough not to seal."""
LEAST_ENCODED, LEAST_CORE = 6, 8
"""A shorter value, or a shorter middle of its base64, may be there by chance."""
NUMBERS = (Class.UUID, Class.MAC)


class Readable(Protocol):
    """Whatever can be read to its end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""


@dataclass(frozen=True)
class Survivor:
    """Something that is still there: its class, the form it is written in, where; `rule` for a canary. No value."""

    kind: Class
    form: str
    offset: int
    rule: str | None = None


@dataclass(frozen=True)
class _Needle:
    kind: Class
    form: str
    rule: str | None
    is_word: bool


def survivors(stream: Readable, known: Known, canaries: Iterable[Canary]) -> list[Survivor]:
    """What is found in a stream, which is read to its end; none means that it may be sealed."""
    needles: dict[bytes, _Needle] = {}
    wanted = [(kind, value, None) for kind, value in known]
    for kind, value, rule in [*wanted, *((one.kind, one.secret, one.rule) for one in canaries)]:
        for form, needle in forms(kind, value):
            needles.setdefault(needle.lower(), _Needle(kind, form, rule, form == "plain"))
    if not needles:
        return []
    longest = sorted(needles, key=len, reverse=True)
    pattern = Pattern("|".join(map(literal, longest)), groups=False)
    return list(_search(stream, pattern, needles, len(longest[0])))


def _search(stream: Readable, pattern: Pattern, needles: dict[bytes, _Needle], overlap: int) -> Iterator[Survivor]:
    data, offset, told = b"", 0, 0
    while told < MOST:
        more = stream.read(BLOCK).lower()  # needles are in lower case: one automaton for every case
        data += more
        # One byte more on either side, so that the neighbours of a word are seen.
        limit = len(data) if not more else max(0, len(data) - overlap - 1)
        at = 1 if offset else 0
        while told < MOST and (found := pattern.search(data, at, len(data))) is not None and found.span()[0] < limit:
            first, last = found.span()
            needle = needles[data[first:last]]
            at = first + 1
            if not needle.is_word or whole_word(data, first, last):
                yield Survivor(needle.kind, needle.form, offset + first, needle.rule)
                told += 1
        if not more:
            return
        kept = max(0, limit - 1)
        data, offset = data[kept:], offset + kept


def forms(kind: Class, value: bytes) -> Iterator[tuple[str, bytes]]:
    """The name of each form and how the value is written in it."""
    spellings = _spellings(kind, value)
    for spelling in spellings:
        yield "plain", spelling
        yield "utf-16", b"".join(bytes((byte, 0)) for byte in spelling)
        if len(spelling) < LEAST_ENCODED:
            continue
        yield "hex", binascii.hexlify(spelling)
        yield "url", b"".join(b"%%%02x" % byte for byte in spelling)
        yield "json", b"".join(b"\\u%04x" % byte for byte in spelling)
        quoted = json.dumps(spelling.decode("utf-8", "replace"))[1:-1].encode()
        if quoted != spelling:
            yield "json", quoted
        yield from (("base64", core) for core in base64_cores(spelling) if len(core) >= LEAST_CORE)
    if kind in NUMBERS and len(spellings[-1]) in (12, 32):
        yield "raw", binascii.unhexlify(spellings[-1])


def base64_cores(value: bytes) -> Iterator[bytes]:
    """What is the same in base64 of every text that holds the value, for the three ways it can lie there."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + value).rstrip(b"=")
        ragged = (before + len(value)) % 3
        yield coded[(before * 8 + 5) // 6 : len(coded) - (1 if ragged else 0)]


def _spellings(kind: Class, value: bytes) -> list[bytes]:
    """A number with and without its separators, the bare digits last."""
    if kind not in NUMBERS:
        return [value]
    digits = bytes(byte for byte in value if byte not in b":-.").lower()
    if kind is Class.MAC and len(digits) != 12:
        return [value]
    if kind is Class.MAC:
        pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
        quads = [digits[at : at + 4] for at in range(0, 12, 4)]
        return [b":".join(pairs), b"-".join(pairs), b".".join(quads), digits]
    if len(digits) != 32:
        return [value]
    return [b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])), digits]
