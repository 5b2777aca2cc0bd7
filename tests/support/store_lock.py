"""Another program that holds the store, as a backup tool that hangs would."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(database: Path, seconds: float = 600) -> Iterator[None]:
    """Hold a database for writing, for so long at most."""
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(seconds, other.execute, ["ROLLBACK"])
        release.start()
        yield
        release.cancel()
        release.join()
