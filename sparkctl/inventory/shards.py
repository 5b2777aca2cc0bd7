"""Cut a selection into parts that several bastions or cron jobs can sweep, the same way on each of them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node

MOST = 1000
_WRITTEN = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count`, counted from 1.

    A node's part follows from its name alone, so it stays the same when other nodes come and go.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `3/8`; raises UsageError."""
        written = _WRITTEN.fullmatch(text)
        number, count = (int(part) for part in written.groups()) if written else (0, 0)
        if not 1 <= number <= count <= MOST:
            raise UsageError(f"{text!r} is not a shard", hint=f"write part/parts, from 1/1 to {MOST}/{MOST}, like 3/8")
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes of this part, in their order."""
        return [node for node in nodes if self._part(node.node_id) == self.number]

    def _part(self, name: str) -> int:
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % self.count + 1
