"""Hold a folder, so that two commands do not work in it at once."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sparkctl.errors import BusyError

LOCK = "lock"
"""A file, since a folder on NFS cannot be held (flock(2): what is held there must be open for writing)."""


@contextlib.contextmanager
def held(folder: Path, busy: str) -> Iterator[None]:
    """Hold a folder, which is there, while the block lasts; raises BusyError in the words of `busy`, OSError."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(busy, hint="wait for its end") from error
        yield
    finally:
        os.close(descriptor)
