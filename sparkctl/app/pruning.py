"""Let go of old run records and boots."""

import sys
from datetime import UTC, datetime, timedelta

from sparkctl.app.places import Places
from sparkctl.store.entries import Pruned
from sparkctl.store.lock import SweepLock
from sparkctl.store.store import Store


def prune(places: Places, days: float) -> Pruned:
    """Let go of what runs that began so many days ago or earlier left behind; raises StoreError and BusyError."""
    before = datetime.now(UTC) - timedelta(days=days)
    with Store.open(places.state, create=False) as store, SweepLock(places.state, sys.argv) as lock:
        return store.prune(lock, before)
