"""What the store remembers of a node."""

from dataclasses import dataclass

from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.store.entries import HistoryEntry, StatusChange
from sparkctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Past:
    """Visits newest first, changes oldest first."""

    node_id: str
    visits: list[HistoryEntry]
    changes: list[StatusChange]


def recall(places: Places, node_id: str, limit: int) -> Past:
    """The past of one node; raises UsageError when it was never visited, StoreError when there is no store."""
    with Store.open(places.state, create=False) as store:
        visits = store.history(node_id, limit)
        if not visits:
            raise UsageError(
                f"the store in {places.state} has never seen a node {node_id!r}",
                hint="names are exact; visit it with: sparkctl health NODE",
            )
        return Past(node_id, visits, store.changes(node_id))
