"""Replace a file so that a reader, or a crash, finds the old one or the new one whole."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put `content` at `path`, on the disk before it has the name; a link there is replaced, not followed.

    Raises OSError, and leaves what was there.
    """
    with written_over(path, mode) as file:
        file.write(content)


@contextlib.contextmanager
def written_over(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which replaces that at `path` when the block ends, and not if it fails.

    It is on the disk before it has the name; a link there is replaced, not followed. Raises OSError, also where a
    device, a pipe or a link to one has the name: root would put a file in the place of /dev/null or /dev/stdout.
    """
    _require_replaceable(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        error.filename = str(path)  # nobody knows the other name
        raise
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_replaceable(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        # /dev/stdout is a link into /proc, behind which a regular file may be.
        of_process = path.is_symlink() and path.readlink().is_relative_to("/proc")
        if of_process or not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "what is there is no regular file, and is not replaced")
