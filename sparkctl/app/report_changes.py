"""What changed of late on nodes: fields of facets and the status of checks, alike changes told once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sparkctl.model.facets.difference import Difference, Kind, differences
from sparkctl.model.facets.paths import to_text
from sparkctl.model.fleet_page import FoldedChange
from sparkctl.model.node_page import NodeChange
from sparkctl.model.printable import printable
from sparkctl.report.words import brief
from sparkctl.store.entries import StatusChange
from sparkctl.store.store import Store

MOST_PAIRS, MOST_FIELDS, MOST_FOLDED = 300, 6, 40
"""Pairs of documents of one facet that are compared, fields named of one pair, and lines of the report."""
ASKED_FIRST = ("drivers.nvidia.version", "os.kernel.running", "os.dgx.version", "firmware.bios.version")
_NAME, _VALUE = 160, 80

_Now = tuple[str, int]
"""What holds now, by its place among what is held."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A change without its moment, which differs from node to node."""

    name: str
    before: str | None
    after: str | None
    more: int = 0


@dataclass
class FactChanges:
    """Changes of facets by node, newest first once `by_node` is asked."""

    _of_node: dict[str, list[NodeChange]] = field(default_factory=dict)

    def read(
        self,
        store: Store,
        facet: str,
        held: Sequence[tuple[Mapping[str, Any], Mapping[str, datetime]]],
        since: datetime,
    ) -> None:
        """Note what changed of one facet since a moment; `held` are documents with the nodes that have each since when.

        That a facet was collected for the first time is no change.
        """
        late = {
            node: (number, at) for number, (_, nodes) in enumerate(held) for node, at in nodes.items() if at >= since
        }
        past = store.past(facet, late.keys())
        starts = store.run_starts({run for spans in past.values() for run, _ in spans})
        pairs: dict[tuple[int, int | _Now], list[tuple[str, datetime]]] = {}
        for node, spans in past.items():
            number, at = late[node]
            steps: list[tuple[datetime, int | _Now]] = [(starts[run], document) for run, document in spans]
            steps.append((at, ("now", number)))
            for (_, before), (moment, after) in pairwise(steps):
                if moment >= since and isinstance(before, int):
                    pairs.setdefault((before, after), []).append((node, moment))
        chosen = sorted(pairs.items(), key=lambda item: -len(item[1]))
        self._compare(store, facet, chosen[:MOST_PAIRS], [document for document, _ in held])
        for _, nodes in chosen[MOST_PAIRS:]:
            self._note(nodes, _Told(facet, None, "changed, in a way that was not looked into"))

    def _compare(
        self,
        store: Store,
        facet: str,
        pairs: Iterable[tuple[tuple[int, int | _Now], list[tuple[str, datetime]]]],
        held: Sequence[Mapping[str, Any]],
    ) -> None:
        for (before, after), nodes in pairs:
            wanted = {number for number in (before, after) if isinstance(number, int)}
            documents = store.facet_documents(wanted)
            new = documents[after] if isinstance(after, int) else held[after[1]]
            for change in _told(facet, differences(documents[before], new)):
                self._note(nodes, change)

    def _note(self, nodes: Iterable[tuple[str, datetime]], told: _Told) -> None:
        for node, at in nodes:
            change = NodeChange(
                at=at, kind="fact", name=told.name, before=told.before, after=told.after, more=told.more
            )
            self._of_node.setdefault(node, []).append(change)

    def by_node(self) -> dict[str, list[NodeChange]]:
        """The changes of each node."""
        return self._of_node


def _told(facet: str, found: Sequence[Difference]) -> Iterator[_Told]:
    """The fields that are asked first, then others; of many, how many more there are."""
    names = {id(one): f"{facet}.{to_text(one.path)}".rstrip(".") for one in found}
    ranked = sorted(found, key=lambda one: (names[id(one)] not in ASKED_FIRST, one.path))
    for one in ranked[:MOST_FIELDS]:
        before, after = _sides(one)
        yield _Told(printable(names[id(one)], _NAME), before, after)
    if len(ranked) > MOST_FIELDS:
        yield _Told(facet, None, None, len(ranked) - MOST_FIELDS)


def _sides(one: Difference) -> tuple[str | None, str | None]:
    """A field before and after, in words."""
    if one.kind is Kind.UNREADABLE:
        return None, printable(f"could not be read: {one.after}", _VALUE)
    if one.kind is Kind.READABLE:
        return "could not be read", None
    before, after = (
        None if side is None else printable(brief(side, _VALUE), _VALUE) for side in (one.before, one.after)
    )
    return before, after


def status_changes(found: Iterable[tuple[str, StatusChange]]) -> dict[str, list[NodeChange]]:
    """The newest change of each check of each node; `more` counts how often it had changed before in that time."""
    newest: dict[tuple[str, str], NodeChange] = {}
    for node, one in found:
        key = node, one.check
        if key in newest:
            newest[key] = newest[key].model_copy(update={"more": newest[key].more + 1})
            continue
        newest[key] = NodeChange(
            at=one.at, kind="check", name=one.check, before=one.previous.value, after=one.current.value
        )
    of_node: dict[str, list[NodeChange]] = {}
    for (node, _), change in newest.items():
        of_node.setdefault(node, []).append(change)
    return of_node


def fold_changes(names: Sequence[str], of_node: Mapping[str, Sequence[NodeChange]]) -> tuple[list[FoldedChange], int]:
    """Alike changes of nodes told once, the newest first, and how many more there are than are told."""
    folded: dict[tuple[str, ...], dict[str, NodeChange]] = {}
    for node in names:
        for one in of_node.get(node, ()):
            more = one.more if one.kind == "fact" else 0
            key = one.kind, one.name, repr(one.before), repr(one.after), str(more)
            kept = folded.setdefault(key, {})
            if node not in kept or kept[node].at < one.at:
                kept[node] = one
    told = [_folded(nodes) for nodes in folded.values()]
    told.sort(key=lambda one: (one.until, len(one.nodes)), reverse=True)
    return told[:MOST_FOLDED], max(0, len(told) - MOST_FOLDED)


def _folded(nodes: Mapping[str, NodeChange]) -> FoldedChange:
    first = next(iter(nodes.values()))
    moments = [one.at for one in nodes.values()]
    return FoldedChange(
        kind=first.kind,
        name=first.name,
        before=first.before,
        after=first.after,
        more=max(one.more for one in nodes.values()),
        nodes=list(nodes),
        since=min(moments),
        until=max(moments),
    )
