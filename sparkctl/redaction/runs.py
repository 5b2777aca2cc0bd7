"""Runs of base64 and of hexadecimal that hold text: found, decoded, and written again."""

import base64
import binascii
from collections.abc import Callable, Iterator

from sparkctl.redaction.edits import Edit, applied
from sparkctl.redaction.linear import Pattern

Inner = Callable[[bytes], list[Edit]]
"""Finds what is to be replaced in decoded bytes."""
Decode = Callable[[bytes, Inner], Edit | None]
"""Decodes a run, has it searched, and says what becomes of the run."""
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TEXT = (9, 10, 13, *range(0x20, 0x7F))
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL = bytes.maketrans(b"+/", b"-_")
CACHED = 100_000
LEAST_HEX = 10


def _one_of(values: set[int]) -> str:
    """An expression for the characters that spell these values of six bits."""
    letters = {chr(ALPHABET[value]) for value in values}
    letters |= {"-"} if 62 in values else set()
    letters |= {"_"} if 63 in values else set()
    return "[" + "".join(f"\\x{ord(letter):02x}" for letter in sorted(letters)) + "]"


def _text_in_base64() -> str:
    """At least five characters of ASCII: a quarter of all random quads look so, and a hundredth of two in a row."""
    first = _one_of({one >> 2 for one in _TEXT})
    second = _one_of({(one & 3) << 4 | two >> 4 for one in _TEXT for two in _TEXT})
    third = _one_of({(one & 15) << 2 | two >> 6 for one in _TEXT for two in _TEXT})
    fourth = _one_of({one & 63 for one in _TEXT})
    quad = first + second + third + fourth
    last = f"{first}(?:[AQgw]==|{second}[AEIMQUYcgkosw048]=)"
    return f"(?:{quad})+(?:{quad}|{last})"


BASE64 = Pattern(_text_in_base64(), groups=False)
HEX = Pattern(rf"(?:[2-7][0-9a-fA-F]|0[9aAdD]){{{LEAST_HEX // 2},}}", groups=False)
_RUN = Pattern(r"[A-Za-z0-9+/_-]+={0,2}", groups=False)
_HEX_RUN = Pattern(r"[0-9a-fA-F]+", groups=False)


class Runs:
    """Finds encoded runs; remembers those in which nothing was found."""

    def __init__(self) -> None:
        self._empty: set[tuple[Decode, bytes]] = set()

    def edits(self, data: bytes, start: int, end: int, inner: Inner) -> Iterator[Edit]:
        """What is to be replaced in runs of base64 and of hexadecimal from `start` to `end`."""
        for pattern, run, decode in ((BASE64, _RUN, _base64), (HEX, _HEX_RUN, _hexadecimal)):
            at = start
            while at < end and (found := pattern.search(data, at, end)) is not None:
                first, last = _whole(run, data, found.span(), start, end)
                yield from self._in_run(data[first:last], first, decode, inner)
                at = max(last, found.span()[1])

    def _in_run(self, run: bytes, start: int, decode: Decode, inner: Inner) -> list[Edit]:
        if (decode, run) in self._empty:
            return []
        edit = decode(run, inner)
        if edit is None:
            if len(self._empty) >= CACHED:
                self._empty.clear()
            if len(run) < 512:
                self._empty.add((decode, run))
            return []
        return [edit._replace(start=start + edit.start, end=start + edit.end)]


def _whole(run: Pattern, data: bytes, span: tuple[int, int], start: int, end: int) -> tuple[int, int]:
    """The whole run around what was found; to the left as far as its letters go."""
    first = span[0]
    letters = _HEX_LETTERS if run is _HEX_RUN else _RUN_LETTERS
    while first > start and data[first - 1] in letters:
        first -= 1
    found = run.search(data, first, end)
    return (first, max(found.span()[1], span[1])) if found is not None else span


_RUN_LETTERS = frozenset(ALPHABET + b"-_")
_HEX_LETTERS = frozenset(b"0123456789abcdefABCDEF")


def _base64(run: bytes, inner: Inner) -> Edit | None:
    """Tries the four ways in which quads can lie in a run; from the first quad that changes, all is written anew."""
    bare = run.rstrip(b"=")
    standard = bare.translate(_TO_STANDARD)
    for skipped in range(min(4, len(bare))):
        usable = len(bare) - skipped
        usable -= usable % 4 == 1
        decoded = binascii.a2b_base64(standard[skipped : skipped + usable] + b"=" * (-usable % 4))
        edits = inner(decoded)
        if not edits:
            continue
        first = edits[0].start // 3
        made = base64.b64encode(applied(decoded, edits)[first * 3 :])
        made = made if len(run) > len(bare) else made.rstrip(b"=")
        made = made.translate(_TO_URL) if bare != standard else made
        end = len(run) if usable == len(bare) - skipped else skipped + usable
        return Edit(skipped + first * 4, end, made, tuple(rule for edit in edits for rule in edit.rules))
    return None


def _hexadecimal(run: bytes, inner: Inner) -> Edit | None:
    for skipped in (0, 1):
        usable = (len(run) - skipped) // 2 * 2
        decoded = binascii.unhexlify(run[skipped : skipped + usable])
        if not decoded.isascii() or not decoded.translate(None, b"\r\n\t\0").decode("ascii").isprintable():
            continue
        edits = inner(decoded)
        if edits:
            made = binascii.hexlify(applied(decoded, edits))
            made = made.upper() if run.isupper() else made
            return Edit(skipped, skipped + usable, made, tuple(rule for edit in edits for rule in edit.rules))
    return None
