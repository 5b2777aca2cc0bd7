"""A file of JSON lines on this machine: on the disk before it counts, and put aside when it is large."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from sparkctl.atomic_file import sync_folder
from sparkctl.model.sink import Answer, Parcel, SinkSettings
from sparkctl.sinks.seam import SinkTrouble, accepted, reason

LONGEST_LINE = 16 * 2**20
_CHUNK = 64 * 1024


class FileSink:
    """Appends a batch as a whole or not at all."""

    def __init__(self, settings: SinkSettings) -> None:
        self._path = Path(settings.address.path)
        self._rotate_bytes, self._keep = settings.rotate_bytes, settings.rotate_keep

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:  # noqa: ARG002 - a disk has no time limits
        """Append the payloads, one line each."""
        lines = "".join(f"{parcel.payload}\n" for parcel in batch).encode()
        try:
            with _alone(self._path.with_name(f"{self._path.name}.lock")):
                self._put_aside(len(lines))
                self._append(lines)
        except SinkTrouble as trouble:
            return Answer([], trouble.down, len(batch))
        except OSError as error:
            return Answer([], SinkTrouble(f"{self._path}: {reason(error)}").down, len(batch))
        return Answer([accepted("written, and on the disk")] * len(batch))

    def _append(self, lines: bytes) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise SinkTrouble(f"{self._path} is no regular file")
            end = _end_of_lines(descriptor, found.st_size, self._path)
            try:
                os.ftruncate(descriptor, end)
                _write(descriptor, lines, end)
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, end)  # half a batch would be a torn line, and the rest comes again
                raise
            if not found.st_size:
                sync_folder(self._path.parent)
        finally:
            os.close(descriptor)

    def _put_aside(self, coming: int) -> None:
        """Move the file to `.1`, and each older one on, when it would grow beyond its size."""
        try:
            size = self._path.lstat().st_size
        except FileNotFoundError:
            return
        if not size or size + coming <= self._rotate_bytes:
            return
        with open(self._path, "rb", opener=_nonblocking) as file:
            _require_ours(file.fileno(), size, self._path)
        for number in range(self._keep, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        sync_folder(self._path.parent)

    def close(self) -> None:
        """Nothing stays open."""


def _nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _require_ours(descriptor: int, size: int, path: Path) -> None:
    """Raise SinkTrouble for a file that began as somebody else's, before it is added to or put aside."""
    if size and os.pread(descriptor, 1, 0) != b"{":
        raise SinkTrouble(f"{path} begins with something that is not ours: name another file")


def _end_of_lines(descriptor: int, size: int, path: Path) -> int:
    """Where the last whole line ends. What comes after it was torn by a crash; what is not ours is left alone."""
    _require_ours(descriptor, size, path)
    place, tail = size, b""
    while place > 0:
        start = max(place - _CHUNK, 0)
        part = os.pread(descriptor, place - start, start)
        cut = part.rfind(b"\n")
        if cut >= 0:
            tail, place = part[cut + 1 :] + tail, start + cut + 1
            break
        tail, place = part + tail, start
        if len(tail) > LONGEST_LINE:
            raise SinkTrouble(f"{path} holds no lines of ours: name another file")
    if tail and not tail.startswith(b"{"):
        raise SinkTrouble(f"{path} ends with something that is not ours: name another file")
    return place


def _write(descriptor: int, content: bytes, at: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One writer at a time, also while the file is put aside."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
