"""What the store remembers of a node."""

from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.store.entries import Past, RunKind
from sparkctl.store.store import Store


def recall(places: Places, node_id: str, limit: int) -> Past:
    """The past of one node; raises UsageError when it was never visited, StoreError when there is no store."""
    with Store.open(places.state, create=False) as store:
        newest = store.newest(node_id, RunKind.HEALTH)
        if newest is None:
            raise UsageError(
                f"the store in {places.state} has no sweep of a node {node_id!r}",
                hint="names are exact; sweep it with: sparkctl health NODE",
            )
        return Past(newest, store.history(node_id, limit), store.changes(node_id)[-limit:])
