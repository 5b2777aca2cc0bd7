"""What is known of nodes now, one node after another, so that a fleet needs no more memory than a node."""

from collections.abc import Collection, Iterator, Sequence

from sparkctl.model.facets.catalogue import FACETS
from sparkctl.model.inventory import Node
from sparkctl.model.run import RunRecord
from sparkctl.model.standing import KnownFacet, NodeStanding
from sparkctl.store.entries import RunKind, VisitRef
from sparkctl.store.store import Store


def standings(store: Store, nodes: Sequence[Node], facets: Collection[str] = tuple(FACETS)) -> Iterator[NodeStanding]:
    """What is known of each node, in their order; only the named facets are read."""
    names = [node.node_id for node in nodes]
    last = store.newest_visits(names)
    health = store.newest_visits(names, RunKind.HEALTH, answered=True)
    reset = store.newest_visits(names, RunKind.RESET, answered=True)
    held = _held(store, set(names), facets)

    for node in nodes:
        name = node.node_id
        refs = last.get(name), health.get(name), reset.get(name)
        # The newest visit mostly is the newest of its kind, too, and a record takes milliseconds to read.
        read: dict[VisitRef, RunRecord | None] = {ref: store.record_of(ref) for ref in {*refs} if ref is not None}
        newest, newest_health, newest_reset = (read[ref] if ref is not None else None for ref in refs)
        yield NodeStanding(
            node=node,
            last=newest,
            health=newest_health,
            reset=newest_reset,
            facets=held.get(name, {}),
        )


def _held(store: Store, wanted: set[str], facets: Collection[str]) -> dict[str, dict[str, KnownFacet]]:
    """The facets of nodes; nodes that are alike share their documents."""
    found: dict[str, dict[str, KnownFacet]] = {}
    for facet in facets:
        for each in store.held(facet):
            for name in each.since.keys() & wanted:
                found.setdefault(name, {})[facet] = KnownFacet(each.since[name], each.seen[name], each.document)
    return found
