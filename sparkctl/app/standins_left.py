"""Look for the stand-ins of one disclosure in another: whoever found one there could join what two recipients got."""

import binascii
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sparkctl.redaction.linear import Pattern, literal
from sparkctl.redaction.rule import Rule
from sparkctl.redaction.standins import WORD_LENGTH, WORDS, Class, Pseudonyms
from sparkctl.redaction.survivors import base64_cores

_WORD = re.compile(rb"(?:%s)-x([a-z2-7]{1,10})(?:\.[a-z]*)?" % b"|".join(kind.encode() for kind in WORDS))
LEAST = 6
"""Bytes of a needle; what is shorter is found by chance, and tells too little to join anything."""
LEAST_BYTES = 4
"""Different bytes of a needle: zeros and a one are found anywhere."""
LEAST_CUT = 4
"""Letters of a word that was cut, likewise."""
LEAST_DIGITS = 12
"""Digits of a number in hexadecimal that is looked for without what parts them; eight are found in any long log."""
_TOGETHER = 400  # needles that are looked for in one pass
_BLOCK, _OVERLAP = 4 * 2**20, 4096


def _cut(kind: Class) -> Rule:
    most = WORD_LENGTH if kind is Class.DOMAIN else WORD_LENGTH - 1
    return Rule(f"again.cut.{kind.value}", kind, rf"\b{kind.value}-x[a-z2-7]{{1,{most}}}\b", "a stand-in that was cut")


CUT_RULES = tuple(map(_cut, WORDS))
"""Rules for stand-ins that had to be cut, in a binary or at the end of words."""


class Noting(Pseudonyms):
    """Pseudonyms that remember what was asked of them: in a bundle, the stand-ins that it has so far, and more.

    A rule asks before it looks around whether it is meant, so that not all of this was replaced.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.asked: dict[tuple[Class, bytes], bytes] = {}

    def of(self, kind: Class, value: bytes) -> bytes:
        """The stand-in of a value."""
        made = super().of(kind, value)
        if made != value:
            self.asked[kind, value] = made
        return made


def first_left(folder: Path, said: bytes, asked: Mapping[tuple[Class, bytes], bytes]) -> str | None:
    """Where below a folder, or in what is `said` of it, a value stands that was replaced elsewhere in it; or None.

    What was `asked` for counts as replaced where its stand-in is found. A value is looked for plain, in raw bytes, in
    hexadecimal and in base64. Addresses of IPv4 are left out: there are so few of them that one may well stand in for
    another by chance.
    """
    made = _Needles(made for (kind, _), made in asked.items() if kind is not Class.IPV4)
    there = made.found_in(_all(folder, said))
    values = [form for each, made in asked.items() if made.lower() in there for form in _forms(*each)]
    left = _Needles(form for form in values if len(form) >= LEAST and len(set(form)) >= LEAST_BYTES)
    return next((where for where, block in _all(folder, said) if left.found_in([(where, block)])), None)


class _Needles:
    """Values that are looked for together, case aside."""

    def __init__(self, values: Iterable[bytes]) -> None:
        distinct = sorted({value.lower() for value in values}, key=lambda value: (-len(value), value))
        parts = [distinct[at : at + _TOGETHER] for at in range(0, len(distinct), _TOGETHER)]
        self._patterns = [Pattern("(?i:" + "|".join(map(literal, part)) + ")", groups=False) for part in parts]

    def found_in(self, blocks: Iterable[tuple[str, bytes]]) -> set[bytes]:
        """Those that stand somewhere, in lower case."""
        return {
            data[first:last].lower()
            for _, data in blocks
            for pattern in self._patterns
            for first, last in pattern.spans(data)
        }


def _all(folder: Path, said: bytes) -> Iterator[tuple[str, bytes]]:
    for place in sorted(path for path in folder.rglob("*") if path.is_file()):
        for block in _blocks(place):
            yield place.relative_to(folder).as_posix(), block
    yield "the manifest", said


def _blocks(place: Path) -> Iterator[bytes]:
    kept = b""
    with place.open("rb") as file:
        while block := file.read(_BLOCK):
            yield kept + block
            kept = block[-_OVERLAP:]


def _forms(kind: Class, value: bytes) -> Iterator[bytes]:
    """All ways in which a stand-in may be written, case aside."""
    if kind in WORDS:
        word = _WORD.fullmatch(value)
        if word is not None and len(word[1]) == WORD_LENGTH:
            yield from _encoded(word[1])  # what stands before is the same in every bundle
        elif word is not None and len(word[1]) >= LEAST_CUT:
            yield value
    elif kind in (Class.UUID, Class.MAC, Class.HEX):
        digits = bytes(byte for byte in value.lower() if byte not in b":-.")
        yield from _encoded(value)
        if len(digits) >= LEAST_DIGITS:
            yield from _of_digits(digits)
    elif kind in (Class.SSH_KEY, Class.FINGERPRINT):
        yield value
    elif kind is Class.IPV6:
        yield value.partition(b"/")[0]


def _of_digits(digits: bytes) -> Iterator[bytes]:
    yield digits
    for size, separator in ((2, b":"), (2, b"-"), (4, b":"), (4, b".")):
        yield separator.join(digits[at : at + size] for at in range(0, len(digits), size))
    try:
        raw = binascii.unhexlify(digits)
    except ValueError:
        return
    yield raw
    if len(raw) == 16:
        yield str(uuid.UUID(bytes=raw)).encode()
        yield uuid.UUID(bytes=raw).bytes_le


def _encoded(text: bytes) -> Iterator[bytes]:
    """A text plain, in hexadecimal, and in base64 wherever it may begin there."""
    yield text
    yield binascii.hexlify(text)
    yield from base64_cores(text)
