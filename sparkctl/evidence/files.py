"""Files on the bastion: taken from a folder, written new, and never by way of a link."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sparkctl.atomic_file import sync_folder
from sparkctl.errors import UsageError
from sparkctl.model.evidence import MAX_ENTRIES
from sparkctl.model.printable import printable

CHUNK = 128 * 1024


def files_below(folder: Path) -> dict[str, Path]:
    """Every regular file below a folder by its path in a bundle; raises UsageError when there is anything else."""
    found: dict[str, Path] = {}
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as listing:
            for item in listing:
                path = f"{prefix}{item.name}"
                if item.is_dir(follow_symlinks=False):
                    waiting.append((Path(item.path), f"{path}/"))
                elif item.is_file(follow_symlinks=False):
                    found[path] = Path(item.path)
                else:
                    raise UsageError(f"{printable(path)} in {folder} is neither a file nor a folder")
        if len(found) > MAX_ENTRIES:
            raise UsageError(f"{folder} holds more than {MAX_ENTRIES:,} files")
    return found


def opened_file(path: Path, flags: int = 0) -> BinaryIO:
    """A regular file; raises OSError for whatever else there is, and waits for no other end of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "this is no regular file")
    return os.fdopen(descriptor, "rb")


def chunks_of(path: Path) -> Iterator[bytes]:
    """The content of a regular file, which is no link; raises OSError when it is something else by now."""
    with opened_file(path, os.O_NOFOLLOW) as file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextlib.contextmanager
def written_new(path: Path) -> Iterator[BinaryIO]:
    """A file that has its name when all of it is on the disk, and not before; raises UsageError when the name is taken.

    It is for its owner alone to read.
    """
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    descriptor, name = tempfile.mkstemp(prefix=unfinished_prefix(path), dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        take_name(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def unfinished_prefix(path: Path) -> str:
    """How the name of a file begins while `written_new` writes it."""
    return f".{path.name[:100]}."


def take_name(fresh: Path, path: Path) -> None:
    """Give a file a name that nobody has, and replace nothing; raises UsageError when somebody has it."""
    # A hard link would do, but not on every file system.
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError as error:
        raise UsageError(f"{path} exists", hint="name another file; nothing is ever written over") from error
    try:
        fresh.replace(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class EmptyFolder:
    """A folder that was empty or is made, and into which files are written; nothing else of it is ever touched."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError when there is something in it, it is no folder, or it cannot be made."""
        try:
            made = _made(folder)
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror}", hint="name a new folder") from error
        self._top = folder
        self._files: list[Path] = []
        self._folders = {folder} if made else set()

    def new_file(self, path: str) -> BinaryIO:
        """A file at a checked path of a bundle."""
        place = self._top.joinpath(*path.split("/"))
        below = [folder for folder in place.parents if folder.is_relative_to(self._top) and folder != self._top]
        for folder in reversed(below):
            if folder not in self._folders:
                folder.mkdir(mode=0o700)
                self._folders.add(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(place, flags, 0o600), "wb")
        self._files.append(place)
        return file

    def clear(self) -> None:
        """Remove what was made in it."""
        for file in self._files:
            file.unlink(missing_ok=True)
        for folder in sorted(self._folders, reverse=True):
            with contextlib.suppress(OSError):  # somebody put something into it
                folder.rmdir()


def _made(folder: Path) -> bool:
    """Whether the folder had to be made; raises UsageError unless it is empty."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError as error:
        if folder.is_symlink() or not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint="name a new folder") from error
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", hint="name a new folder") from error
        return False
    return True
