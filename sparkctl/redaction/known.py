"""What a node's own identifiers are, gathered before anything is redacted."""

from collections.abc import Iterator

from sparkctl.redaction.harvest import harvested
from sparkctl.redaction.kept import ACCOUNTS, COMMON, is_placeholder, is_public_name
from sparkctl.redaction.standins import Class

LEAST = 3
LEAST_NUMBER = 8
"""Shorter numbers and versions stand for too many other things."""
MOST_VALUES = 500
MOST_LENGTH = 200
LITERAL = (
    Class.HOST, Class.DOMAIN, Class.USER, Class.PERSON, Class.SERIAL, Class.SSID, Class.SECRET, Class.MAC, Class.UUID,
    Class.HEX,
)  # fmt: skip
"""Classes whose known values are looked for as they are; the first of two that share a value names its class."""

NUMBERS = (Class.MAC, Class.UUID)
"""Classes whose values are known without their separators as well: firmware writes them so."""


class Known:
    """The real identifiers of one node, each with its class."""

    def __init__(self) -> None:
        self._values: dict[bytes, tuple[Class, bytes]] = {}
        self._kept: set[bytes] = set()

    def harvest(self, path: str, content: bytes) -> None:
        """Take what a file, or a command output recorded as one, tells of who the node is and whose."""
        for kind, value in harvested(path, content):
            if kind is not None:
                self.add(kind, value)
            elif len(self._kept) < MOST_VALUES:
                self._kept.add(_digits(value))

    def add(self, kind: Class, value: bytes) -> None:
        """Know a value, unless it is a filler, too short, or too common a word to be replaced wherever it stands."""
        value = value.strip()
        folded = value.lower()
        if not LEAST <= len(value) <= MOST_LENGTH or is_placeholder(value) or folded in COMMON:
            return
        if len(value) < LEAST_NUMBER and value.replace(b".", b"").isdigit():
            return
        if (kind is Class.USER and folded in ACCOUNTS) or (kind is Class.DOMAIN and is_public_name(value)):
            return
        before = self._values.get(folded)
        if before is None and len(self._values) >= MOST_VALUES:
            return
        if before is None or LITERAL.index(kind) < LITERAL.index(before[0]):
            self._values[folded] = (kind, value)
            if kind in NUMBERS and (digits := _digits(value)) != folded:
                self.add(kind, digits)

    def __iter__(self) -> Iterator[tuple[Class, bytes]]:
        """Every known value with its class, the longest first."""
        return iter(sorted(self._values.values(), key=lambda one: (-len(one[1]), one[1])))

    def keeps(self, value: bytes) -> bool:
        """Whether a UUID names a product and no single machine."""
        return _digits(value) in self._kept

    def __len__(self) -> int:
        return len(self._values)

    def get(self, text: bytes) -> tuple[Class, bytes] | None:
        """The class and the first seen spelling of a value in any case, None for what is not known."""
        return self._values.get(text.lower())


def _digits(value: bytes) -> bytes:
    return value.replace(b"-", b"").replace(b":", b"").lower()
