"""Hold a document of the vendor's against the facts that we collected of its node."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

from sparkctl.errors import UsageError
from sparkctl.model.facets.difference import Difference, Gaps, Kind, differences, leaves, value_at
from sparkctl.model.facets.paths import Path, to_text
from sparkctl.model.ingest import Comparison, NotCompared, Otherwise
from sparkctl.store.store import Store

NEVER = "it was never collected"
_PACKAGES = "packages"
_NOT_INSTALLED = "packages_not_installed"


class Collected:
    """The facts in a store, each facet read once: with many files of one fleet, most of them are asked for again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, tuple[datetime, Mapping[str, Any]]]] = {}

    @classmethod
    @contextlib.contextmanager
    def open(cls, state: FilePath) -> "Iterator[Collected]":
        """The store of a state folder; raises StoreError without one, UsageError where it has no facts at all."""
        with Store.open(state, create=False) as store:
            if not store.oldest_facts():
                raise UsageError(f"the store in {state} has no facts", hint="collect them first: sparkctl collect")
            yield cls(store)

    def compare(self, node_id: str, facets: Mapping[str, Mapping[str, Any]]) -> Comparison:
        """Compare what a document tells, and nothing else."""
        found: list[Otherwise] = []
        unread: list[NotCompared] = []
        moments = []
        compared = 0
        for facet, data in facets.items():
            known = self._facet(facet).get(node_id)
            if known is None:
                unread.append(NotCompared(facet=facet, field="", reason=NEVER))
                continue
            seen, document = known
            moments.append(seen)
            gaps = Gaps(document)
            told = [path for path, _ in leaves(data)]
            hidden = {path: why for path in told if (why := gaps.at(path)) is not None}
            unread += [NotCompared(facet=facet, field=to_text(path), reason=why) for path, why in hidden.items()]
            compared += len(told) - len(hidden)
            found += [_otherwise(facet, one) for one in _differences(document, data)]
        return Comparison(
            node_id=node_id,
            collected_at=min(moments, default=None),
            compared=compared,
            differences=found,
            not_compared=unread,
        )

    def _facet(self, facet: str) -> dict[str, tuple[datetime, Mapping[str, Any]]]:
        if facet not in self._known:
            held = self._store.held(facet)
            self._known[facet] = {node: (at, each.document) for each in held for node, at in each.seen.items()}
        return self._known[facet]


def _otherwise(facet: str, one: Difference) -> Otherwise:
    return Otherwise(facet=facet, field=to_text(one.path), kind=one.kind, collected=one.before, document=one.after)


def _differences(document: Mapping[str, Any], data: Mapping[str, Any]) -> list[Difference]:
    """What a document says otherwise. Of fields that it does not have, and of those that we could not read, nothing."""
    ours = {"data": _shared(document.get("data") or {}, data), "gaps": document.get("gaps", {})}
    found = differences(ours, {"data": data, "gaps": {}})
    changed = [each for one in found if one.kind in (Kind.CHANGED, Kind.APPEARED) for each in _told(document, one)]
    return [one for one in changed if not _is_removed_package(document, one)]


def _told(document: Mapping[str, Any], one: Difference) -> Iterator[Difference]:
    """A difference, or those below it: of a map that we have too, if with other members, only the members are new."""
    if isinstance(one.after, Mapping) and isinstance(value_at(document, one.path), Mapping):
        for name, after in one.after.items():
            yield from _told(document, Difference((*one.path, name), one.kind, None, after))
    else:
        yield one


def _shared(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Our data without the fields that the other side does not have."""
    kept = {}
    for name in ours.keys() & theirs.keys():
        mine, other = ours[name], theirs[name]
        both = isinstance(mine, Mapping) and isinstance(other, Mapping)
        kept[name] = _shared(mine, other) if both else mine
    return kept


def _is_removed_package(document: Mapping[str, Any], one: Difference) -> bool:
    """Whether it is a package that was removed but for its settings: dpkg-query lists it among the others."""
    if len(one.path) != 2 or one.path[0] != _PACKAGES:
        return False
    known: Path = (_NOT_INSTALLED, one.path[1], "version")
    return one.kind is Kind.APPEARED and value_at(document, known) == one.after
