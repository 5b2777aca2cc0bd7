"""Since when nodes have a value, told from what they had before."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from sparkctl.model.facets.difference import Difference, Gaps, equal, value_at
from sparkctl.store.store import Store

_RECENT = 5  # a fifth of all runs, in which most nodes got what they lost last


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """One document of a facet: the nodes that have it, each with the moment since when it has."""

    since: Mapping[str, datetime]


def since_when(
    store: Store, facet: str, groups: Sequence[tuple[Difference, Sequence[Holding]]]
) -> list[tuple[datetime, datetime]]:
    """For each difference, when the first and the last of its nodes got the value, as far back as it had it unbroken.

    Most changes are young: the last runs tell of most nodes, and the whole past is read of the others alone.
    """
    past = _Past(store, facet)
    past.read({node for _, holdings in groups for each in holdings for node in each.since}, share=_RECENT)
    compared = [(_Value(difference, past.documents), holdings) for difference, holdings in groups]
    past.read(
        {
            node
            for value, holdings in compared
            for each in past.of(holdings)
            if value.unbroken(each)
            for node in each.nodes
        }
    )
    found = [[each.moments[-1 - value.depth(each)] for each in past.of(holdings)] for value, holdings in compared]
    return [(min(first for first, _ in moments), max(last for _, last in moments)) for moments in found]


@dataclass(frozen=True, slots=True, eq=False)
class _Alike:
    """Nodes that had the same documents one after another, before what they have now.

    `moments` are when the first and the last of the nodes got each of the documents and, at the end, what they have.
    """

    nodes: Sequence[str]
    documents: tuple[int, ...]
    moments: Sequence[tuple[datetime, datetime]]


class _Past:
    """What nodes had of a facet before, as far as it was read, and the `documents` by their ids."""

    def __init__(self, store: Store, facet: str) -> None:
        self.documents: dict[int, Mapping[str, Any]] = {}
        self._store, self._facet = store, facet
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._starts: dict[int, datetime] = {}
        self._alike: dict[Holding, list[_Alike]] = {}

    def read(self, nodes: Collection[str], *, share: int = 1) -> None:
        """Read the past of some nodes, or the last share of it."""
        spans = self._store.past(self._facet, nodes, share=share)
        self._spans |= spans
        documents = {document for each in spans.values() for _, document in each}
        self.documents |= self._store.facet_documents(documents - self.documents.keys())
        self._starts |= self._store.run_starts({run for each in spans.values() for run, _ in each})
        self._alike = {
            holding: alike for holding, alike in self._alike.items() if holding.since.keys().isdisjoint(nodes)
        }

    def of(self, holdings: Collection[Holding]) -> Iterator[_Alike]:
        """The nodes of some documents, those with the same past together; many fields differ on the same nodes."""
        for holding in holdings:
            if holding not in self._alike:
                self._alike[holding] = list(self._folded(holding))
            yield from self._alike[holding]

    def _folded(self, holding: Holding) -> Iterator[_Alike]:
        folded: dict[tuple[int, ...], dict[str, list[datetime]]] = {}
        for node, moment in holding.since.items():
            spans = self._spans.get(node, ())
            moments = [*(self._starts[run] for run, _ in spans), moment]
            folded.setdefault(tuple(document for _, document in spans), {})[node] = moments
        for documents, found in folded.items():
            edges = [(min(moments), max(moments)) for moments in zip(*found.values(), strict=True)]
            yield _Alike(list(found), documents, edges)


class _Value:
    """The value that a field has on some nodes, to be looked for in the documents that they had."""

    def __init__(self, difference: Difference, documents: Mapping[int, Mapping[str, Any]]) -> None:
        self._difference = difference
        self._documents = documents
        self._found: dict[int, bool] = {}

    def depth(self, alike: _Alike) -> int:
        """How many of the last documents had it, without a break."""
        return sum(1 for _ in takewhile(self._is_in, reversed(alike.documents)))

    def unbroken(self, alike: _Alike) -> bool:
        """Whether all the documents had it."""
        return self.depth(alike) == len(alike.documents)

    def _is_in(self, number: int) -> bool:
        """Look into a document once; many nodes had the same."""
        if number not in self._found:
            document, path = self._documents[number], self._difference.path
            hidden = Gaps(document).at(path) is not None
            self._found[number] = not hidden and equal(value_at(document, path), self._difference.after)
        return self._found[number]
