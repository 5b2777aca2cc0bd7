"""What a facet declares about itself; one file in `diag/facets/` is one facet.

A facet file has a `FACET` and a `collect(look)` that returns the facet's data: a dict of plain values, dicts and lists,
as the facet's model on the bastion has it. Rules of the house:

- What was read and is not there, is left out. What could not be read is left out too, and `look` notes a gap.
- Things that have a name (packages, interfaces, devices) are maps by that name, never lists; lists hold plain values,
  sorted, so that a comparison is not fooled by an order.
- What changes by itself (counters, temperatures, free space) goes into `look.volatile`, never into the data.
- A file may have `DROPS`: what to leave out, first to last, when the document is over its limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from diag.nodekit.judge import Document, Trouble, attempt, compact
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable

T = TypeVar("T")
MAX_GAPS = 200  # in one facet, as the schema has it
WHOLE = ""  # the path of a gap that is the whole facet


@dataclass(frozen=True)
class Facet:
    """`seconds` bounds the collection; `elevated` lists the exact argv that it runs as root where the run allows it."""

    title: str
    seconds: float = 8.0
    elevated: tuple[tuple[str, ...], ...] = ()


class Look:
    """One look at a machine for one facet: what goes wrong at one field is noted and costs that field only."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.volatile: Document = {}
        self.gaps: list[Document] = []
        self.bugs: list[str] = []

    def at(self, path: str, read: Callable[[], T], locator: str | None = None) -> T | None:
        """What `read` returns, or None and a gap at `path`.

        `path` names the field with dots (`smbios.serial`); a name that holds other characters than letters, digits,
        `_` and `-` stands in brackets (`interfaces[enP7s7:1].mtu`). NotApplicable means that there is nothing: no gap.
        """
        value, trouble = attempt(read)
        if trouble is not None:
            self._note(path, trouble, locator)
            return None
        return value

    def missing(self, path: str, reason: str, summary: str, locator: str | None = None) -> None:
        """Note a gap without having tried anything."""
        self._note(path, Trouble(reason, summary), locator)

    def _note(self, path: str, trouble: Trouble, locator: str | None) -> None:
        if trouble.bug is not None:
            self.bugs.append(trouble.bug)
        if trouble.reason is None:
            return
        gap = {"path": path, "reason": trouble.reason, "summary": printable(trouble.summary), "locator": locator}
        self.gaps.append(compact(gap))


@dataclass(frozen=True)
class Drop:
    """A part to leave out of a document over its limit: `key` at `facet`'s top level, said as `part`."""

    facet: str
    key: str

    @property
    def part(self) -> str:
        """`software.packages`."""
        return f"{self.facet}.{self.key}"

    def apply(self, data: Document) -> int:
        """Leave it out, leave a gap, and return how many items it had."""
        here = data["facets"][self.facet]
        dropped = here["data"].pop(self.key, None) if here["data"] else None
        if dropped is None:
            return 0
        summary = "left out to keep the document within its limit"
        here["gaps"].append({"path": self.key, "reason": "precondition", "summary": summary})
        return len(dropped) if isinstance(dropped, (dict, list)) else 1


class FacetTask:
    """A facet as a task for a worker; answers one document with `facet`, `data`, `volatile` and `gaps`."""

    def __init__(
        self, name: str, facet: Facet, collect: Callable[[Look], Document], drops: tuple[str, ...] = ()
    ) -> None:
        self.name, self.facet, self._collect = name, facet, collect
        self.drops = tuple(Drop(name, key) for key in drops)

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""
        return self.facet.seconds

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The facet, and what broke in a way that is our own bug."""
        look = Look(machine)
        data = look.at(WHOLE, lambda: self._collect(look))
        return [self._document(compact(data), compact(look.volatile), look.gaps)], look.bugs

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """The facet for when it did not come back."""
        return [self._document(None, {}, [{"path": WHOLE, "reason": reason, "summary": summary}])]

    def _document(self, data: Any, volatile: Any, gaps: list[Document]) -> Document:
        return {"facet": self.name, "data": data, "volatile": volatile, "gaps": gaps[:MAX_GAPS]}
