"""What a node's own identifiers are, gathered before anything is redacted."""

from collections import Counter
from collections.abc import Iterator

from sparkctl.redaction.harvest import harvested
from sparkctl.redaction.kept import ACCOUNTS, COMMON, is_placeholder, is_public_name
from sparkctl.redaction.standins import Class

LEAST = 3
LEAST_NUMBER = 8
"""Shorter numbers and versions stand for too many other things."""
MOST_OWN = 5000
"""Values that the files tell which say who a node is."""
MOST_LEARNED = 500
"""Values of one class that are told by what stands beside them; those of the node have their own room."""
MOST_LENGTH = 200
MOST_COUNTED = 10_000
LITERAL = (
    Class.HOST, Class.DOMAIN, Class.USER, Class.PERSON, Class.SERIAL, Class.SSID, Class.SECRET, Class.PEM, Class.MAC,
    Class.UUID, Class.HEX,
)  # fmt: skip
"""Classes whose known values are looked for as they are; the first of two that share a value names its class."""

NUMBERS = (Class.MAC, Class.UUID)
"""Classes whose values are known without their separators as well: firmware writes them so."""


class Known:
    """The real identifiers of one node, each with its class."""

    def __init__(self) -> None:
        self._values: dict[bytes, tuple[Class, bytes]] = {}
        self._of_node: set[bytes] = set()
        self._learned: Counter[Class] = Counter()
        self._kept: set[bytes] = set()
        self._left_out: set[int] = set()

    def harvest(self, path: str, content: bytes) -> None:
        """Take what a file, or a command output recorded as one, tells of who the node is and whose."""
        for kind, value, is_own in harvested(path, content):
            if kind is None:
                if len(self._kept) < MOST_OWN:
                    self._kept.add(_digits(value))
            elif is_own:
                self.add(kind, value)
            else:
                self.learn(kind, value)

    def add(self, kind: Class, value: bytes) -> None:
        """Know a value of the node itself, unless it is too common to be replaced wherever it stands."""
        self._take(kind, value, is_own=True)

    def learn(self, kind: Class, value: bytes) -> None:
        """Know a value that the words beside it gave away, while there is room for its class."""
        self._take(kind, value, is_own=False)

    def leave_out(self, value: bytes) -> None:
        """Count something that may hold a value and cannot be known."""
        if len(self._left_out) < MOST_COUNTED:
            self._left_out.add(hash(value))

    @property
    def left_out(self) -> int:
        """How many values there was no room for; they are replaced only where a rule finds them. Counted to 10,000."""
        return len(self._left_out)

    def _take(self, kind: Class, value: bytes, *, is_own: bool) -> None:
        value = value.strip()
        folded = value.lower()
        if not is_knowable(kind, value):
            return
        before = self._values.get(folded)
        if before is None and (len(self._of_node) >= MOST_OWN if is_own else self._learned[kind] >= MOST_LEARNED):
            self.leave_out(folded)
            return
        if before is None:
            self._learned[kind] += not is_own
        if before is None or self._names_better(kind, folded, is_own=is_own):
            self._values[folded] = (kind, value)
            if is_own:
                self._of_node.add(folded)
            if kind in NUMBERS and (digits := _digits(value)) != folded:
                self._take(kind, digits, is_own=is_own)

    def _names_better(self, kind: Class, folded: bytes, *, is_own: bool) -> bool:
        """Whether this class goes before the one so far: what files tell before what was learned, then in order."""
        was_own = folded in self._of_node
        if is_own != was_own:
            return is_own
        return LITERAL.index(kind) < LITERAL.index(self._values[folded][0])

    def __iter__(self) -> Iterator[tuple[Class, bytes]]:
        """Every known value with its class, the longest first."""
        found = (one for one in self._values.values() if not self.keeps(one[1]))
        return iter(sorted(found, key=lambda one: (-len(one[1]), one[1])))

    def keeps(self, value: bytes) -> bool:
        """Whether a UUID names a product and no single machine."""
        return _digits(value) in self._kept

    def __len__(self) -> int:
        return len(self._values)

    def get(self, text: bytes) -> tuple[Class, bytes] | None:
        """The class and the first seen spelling of a value in any case, None for what is unknown or names a product."""
        return None if self.keeps(text) else self._values.get(text.lower())


def is_knowable(kind: Class, value: bytes) -> bool:
    """Whether a value may be replaced wherever it stands: no filler, not too short, no common word."""
    folded = value.lower()
    if not LEAST <= len(value) <= MOST_LENGTH or is_placeholder(value) or folded in COMMON:
        return False
    if len(value) < LEAST_NUMBER and value.replace(b".", b"").isdigit():
        return False
    return not ((kind is Class.USER and folded in ACCOUNTS) or (kind is Class.DOMAIN and is_public_name(value)))


def _digits(value: bytes) -> bytes:
    return value.replace(b"-", b"").replace(b":", b"").lower()
