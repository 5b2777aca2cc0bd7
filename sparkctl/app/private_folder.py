"""A temporary folder of our own, known to be left behind when the process that made it was killed."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "sparkctl-tree-"
LOCK = "lock"
"""Locked by the process that made the folder for as long as it lives: the kernel lets go of it, whatever ends that."""
CONTENT = "content"


@contextlib.contextmanager
def private_folder(within: Path | None = None) -> Iterator[Path]:
    """An empty folder of mode 0700, removed afterwards; first those go that killed processes of this user left.

    It is made `within` a folder, or where temporary files are. Raises OSError where none can be made.
    """
    place = str(within or tempfile.gettempdir())
    _remove_left_behind(place)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place) as name, _held(Path(name)):
        content = Path(name, CONTENT)
        content.mkdir(mode=0o700)
        yield content


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; under its own name it is never seen without being held."""
    making = folder / f"{LOCK}.new"
    descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        making.rename(folder / LOCK)
        yield
    finally:
        os.close(descriptor)


def _remove_left_behind(place: str) -> None:
    with os.scandir(place) as entries:
        ours = [Path(entry.path) for entry in entries if entry.name.startswith(PREFIX) and _is_ours(entry)]
    for folder in ours:
        with contextlib.suppress(OSError), _taken_over(folder) as gone:
            if gone:
                shutil.rmtree(folder, ignore_errors=True)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:  # it was removed meanwhile
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


@contextlib.contextmanager
def _taken_over(folder: Path) -> Iterator[bool]:
    """Whether nobody holds the folder, who would do so while this lasts; raises OSError where it has no lock."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.path.samestat(os.fstat(descriptor), (folder / LOCK).lstat())
    finally:
        os.close(descriptor)
