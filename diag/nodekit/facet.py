"""What a facet declares about itself; one file in `diag/facets/` is one facet.

A facet file has a `FACET` and a `collect(look)` that returns the facet's data: a dict of plain values, dicts and lists,
as the facet's model on the bastion has it. Rules of the house:

- What was read and is not there, is left out. What could not be read is left out too, and `look` notes a gap at the
  field or above it. `look.at` notes one by itself where a source failed and the reader went on without it.
- Things that have a name (packages, interfaces, devices) are maps by that name, never lists; lists hold plain values,
  sorted, so that a comparison is not fooled by an order.
- What changes by itself (counters, temperatures, free space) goes into `look.volatile`, never into the data.
- A file may have `APART`: what is looked at in a worker of its own, because it can hang.
- A file may have `DROPS`: what to leave out, first to last, when the document is over its limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from diag.nodekit.judge import Document, Trouble, attempt, compact, trouble_of
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.vocabulary import UnknownReason

T = TypeVar("T")
MAX_GAPS = 150  # in one facet; the schema has room for more, which a Drop may need
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
        machine.failures.clear()

    def at(
        self, path: str, read: Callable[[], T], locator: str | None = None, *, also: tuple[str, ...] = ()
    ) -> T | None:
        """What `read` returns, or None and a gap at `path`, and at the fields `also` that cannot be told without it.

        `path` names the field with dots (`smbios.serial`); a name that holds other characters than letters, digits,
        `_` and `-` stands in brackets (`interfaces[enP7s7:1].mtu`); `*` stands for every name of a map.
        NotApplicable means that there is nothing: no gap. Where a source failed and `read` went on without it, there
        is a gap as well, and only a map is kept of what it returns: another value may be wrong or half of the truth.
        """
        since = len(self.machine.failures)
        value, trouble = attempt(read)
        failed = self.machine.failures[since:]
        self.machine.forgive(*failed)
        if failed and (trouble is None or trouble.reason is None):
            trouble = trouble_of(failed[0])
            value = value if isinstance(value, dict) else None
        if trouble is not None:
            self._note(path, trouble, locator)
            for place in also:
                if not self._is_covered(place):
                    self._note(place, trouble, locator)
        return value

    def tried(self, read: Callable[[], T]) -> tuple[T | None, Trouble | None]:
        """What `read` returns or why it does not, without a gap: the caller notes those, field by field."""
        since = len(self.machine.failures)
        value, trouble = attempt(read)
        self.machine.forgive(*self.machine.failures[since:])
        return value, trouble

    def inherit(self, path: str, source: str) -> None:
        """Note a gap at `path`, which is told from the field `source`, where there is one at `source` or below it."""
        gap = next((gap for gap in self.gaps if re.match(rf"{re.escape(source)}(?![\w-])", gap["path"])), None)
        if gap is not None:
            self.gaps.append({**gap, "path": path})

    def missing(self, path: str, reason: str, summary: str, locator: str | None = None) -> None:
        """Note a gap without having tried anything."""
        self._note(path, Trouble(reason, summary), locator)

    def _is_covered(self, path: str) -> bool:
        return any(path.startswith((f"{gap['path']}.", f"{gap['path']}[")) for gap in self.gaps)

    def _note(self, path: str, trouble: Trouble, locator: str | None) -> None:
        if trouble.bug is not None:
            self.bugs.append(trouble.bug)
        if trouble.reason is None:
            return
        gap = {"path": path, "reason": trouble.reason, "summary": printable(trouble.summary), "locator": locator}
        self.gaps.append(compact(gap))


def told(gaps: list[Document]) -> list[Document]:
    """The gaps, each place once; where they are too many, the last one is the whole facet, for all that is not told."""
    once = list({gap["path"]: gap for gap in reversed(gaps)}.values())[::-1]
    if len(once) <= MAX_GAPS:
        return once
    summary = "more gaps than can be told"
    return [*once[: MAX_GAPS - 1], {"path": WHOLE, "reason": UnknownReason.PRECONDITION, "summary": summary}]


@dataclass(frozen=True)
class Part:
    """A part of a facet with a budget of its own: `collect` brings the top-level `fields`, none of which is required.

    For what can hang: a read that never returns then costs these fields, and not the whole facet.
    """

    fields: tuple[str, ...]
    collect: Callable[[Look], Document]
    seconds: float = 4.0


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


class PieceTask:
    """A piece of a facet as a task for a worker: `fields` are lost when it does not come back.

    Answers one document with `facet`, `piece` (its number), `data`, `volatile` and `gaps`.
    """

    def __init__(self, name: str, number: int, part: Part) -> None:
        self.name, self.number, self._part = name, number, part

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""
        return self._part.seconds

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The piece, and what broke in a way that is our own bug."""
        look = Look(machine)
        first, *others = self._part.fields
        data = look.at(first, lambda: self._part.collect(look), also=tuple(others))
        return [self._document(compact(data), compact(look.volatile), look.gaps)], look.bugs

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """The piece for when it did not come back."""
        gaps = [{"path": field, "reason": reason, "summary": summary} for field in self._part.fields]
        return [self._document(None, {}, gaps)]

    def _document(self, data: Any, volatile: Any, gaps: list[Document]) -> Document:
        return {"facet": self.name, "piece": self.number, "data": data, "volatile": volatile, "gaps": gaps}


class FacetTask:
    """A facet as tasks for workers: `pieces`, the facet itself first, then its parts."""

    def __init__(
        self,
        name: str,
        facet: Facet,
        collect: Callable[[Look], Document],
        drops: tuple[str, ...] = (),
        parts: tuple[Part, ...] = (),
    ) -> None:
        self.name, self.facet = name, facet
        self.drops = tuple(Drop(name, key) for key in drops)
        whole = Part((WHOLE,), collect, facet.seconds)
        self.pieces = tuple(PieceTask(name, number, part) for number, part in enumerate((whole, *parts)))

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The facet in one go, and what broke in a way that is our own bug."""
        answers = [piece.judge(machine) for piece in self.pieces]
        return [merged([document for documents, _ in answers for document in documents])], [
            bug for _, bugs in answers for bug in bugs
        ]


def merged(pieces: list[Document]) -> Document:
    """The facet of its pieces, in any order; without the first one there is no data."""
    whole, *parts = sorted(pieces, key=lambda piece: int(piece["piece"]))
    data, volatile, gaps = whole["data"], dict(whole["volatile"]), list(whole["gaps"])
    for part in parts:
        gaps += part["gaps"]
        if data is not None:
            data = {**data, **(part["data"] or {})}
        for key, value in part["volatile"].items():
            volatile[key] = {**volatile.get(key, {}), **value} if isinstance(value, dict) else value
    return {"facet": whole["facet"], "data": data, "volatile": volatile, "gaps": told(gaps)}
