"""What was seen, kept: runs, run records, findings, and the lock that lets one sweep at a time write them.

Importing this package costs little: SQLAlchemy is loaded when a store is opened.
"""

from sparkctl.store.entries import HistoryEntry, RunEntry, RunState, StatusChange
from sparkctl.store.location import state_dir
from sparkctl.store.lock import Holder, SweepLock
from sparkctl.store.store import Store
from sparkctl.store.writer import AsyncWriter

__all__ = [
    "AsyncWriter",
    "HistoryEntry",
    "Holder",
    "RunEntry",
    "RunState",
    "StatusChange",
    "Store",
    "SweepLock",
    "state_dir",
]
