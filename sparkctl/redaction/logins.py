"""wtmp, btmp and utmp: records of glibc's struct utmp, 384 bytes each, or 400 where time has 64 bits (arm64)."""

from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.redaction.edits import Edit, applied
from sparkctl.redaction.guards import is_user
from sparkctl.redaction.linear import Pattern
from sparkctl.redaction.scan import Scanner
from sparkctl.redaction.standins import Class, Pseudonyms

RULE = "logins"
BLOCK = 9600 * 27
"""A whole number of records of either size, just below 256 KiB."""
_NAME = Pattern(r"(?s:.*/)?[wbu]tmp(?:\.[0-9]+)?", groups=False)
USER, HOST = slice(44, 76), slice(76, 332)
ADDRESS_AT = {384: 348, 400: 360}
MOST_TYPE = 9


def is_login_record(name: bytes) -> bool:
    """Whether an artefact of that name holds such records."""
    return _NAME.fullmatch(name) is not None


@dataclass
class LoginFinder:
    """Finds who logged in from where; the size of a record is decided by the first bytes that are seen."""

    scanner: Scanner
    pseudonyms: Pseudonyms
    size: int = 0

    def edits(self, data: bytes, start: int) -> Iterator[Edit]:
        """Names, hosts and raw addresses of whole records from `start` on."""
        self.size = self.size or _size(data[start:])
        for at in range(start, len(data) - self.size + 1, self.size):
            record = data[at : at + self.size]
            yield from self._field(record, USER, at, Class.USER)
            yield from self._field(record, HOST, at, Class.HOST)
            yield from self._address(record, at)

    def _field(self, record: bytes, place: slice, at: int, kind: Class) -> Iterator[Edit]:
        value = record[place].partition(b"\0")[0]
        width = place.stop - place.start
        edits = self.scanner.edits(value)
        made = applied(value, edits)
        rules = tuple(rule for edit in edits for rule in edit.rules)
        if not edits and value and self._is_unknown(record, value, kind):
            made, rules = self.pseudonyms.of(kind, value), (RULE,)
        if rules:
            yield Edit(at + place.start, at + place.stop, made[:width].ljust(width, b"\0"), rules)

    @staticmethod
    def _is_unknown(record: bytes, value: bytes, kind: Class) -> bool:
        """A name nobody told us: kept are the system's own, and the kernel that stands where a host would."""
        user = record[USER].partition(b"\0")[0]
        if kind is Class.USER:
            return is_user(value) and not value.startswith(b"~")
        return is_user(user) and not value.startswith(b":") and value.replace(b".", b"").isalnum()

    def _address(self, record: bytes, at: int) -> Iterator[Edit]:
        place = ADDRESS_AT[self.size]
        raw = record[place : place + 16]
        if not any(raw):
            return
        if any(raw[4:]):
            made = self.pseudonyms.ipv6(int.from_bytes(raw, "big")).to_bytes(16, "big")
        else:
            made = self.pseudonyms.ipv4(int.from_bytes(raw[:4], "big")).to_bytes(4, "big") + raw[4:]
        yield Edit(at + place, at + place + 16, made, (RULE,))


def _size(data: bytes) -> int:
    """The size at whose multiples a known type of record stands more often."""
    return max(ADDRESS_AT, key=lambda size: _types(data, size))


def _types(data: bytes, size: int) -> float:
    starts = range(0, len(data) - 3, size)
    return sum(0 < int.from_bytes(data[at : at + 4], "little") <= MOST_TYPE for at in starts) / max(1, len(starts))
