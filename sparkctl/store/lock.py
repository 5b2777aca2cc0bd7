"""One run at a time in each state folder, by a lock that the kernel releases when its holder dies."""

import fcntl
import getpass
import os
import shlex
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

from pydantic import Field, ValidationError

from sparkctl.errors import BusyError
from sparkctl.model.base import Record, Text, UtcDatetime, Word
from sparkctl.model.printable import printable
from sparkctl.store.location import folder_trouble, make_state_dir

LOCK_NAME = "sweep.lock"

# Long enough for a holder to write its name after it got the lock, and for `nobody_sweeps` to let go of it.
PATIENCE_S = 0.5
_POLL_S = 0.02
_HOLDER_LIMIT = 8192


class Holder(Record):
    """Who holds the lock: a process, its user and host, the command line it runs, and since when."""

    pid: Annotated[int, Field(gt=0)]
    user: Word
    host: Word
    command: Text
    since: UtcDatetime


class SweepLock:
    """The right to write runs into one state folder; hold it with `with`, for the whole of a run.

    Readers never need it. The file stays when the lock is free: only the kernel's lock on it means anything.
    """

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        self._command = command
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._descriptor is not None

    def acquire(self) -> Self:
        """Take the lock. Raises BusyError, which names the holder, and StoreError when the folder cannot be used."""
        if self._descriptor is not None:
            raise ValueError("the lock is already held")
        make_state_dir(self.folder)
        descriptor = _open(self.folder)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Let go of the lock; harmless when it is not held."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, descriptor: int) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not _try_lock(descriptor, self.folder):
            if time.monotonic() >= give_up:
                raise _busy(self.folder, _read_holder(descriptor))
            time.sleep(_POLL_S)
        _write_holder(descriptor, self.folder, self._command)


@contextmanager
def nobody_sweeps(folder: Path) -> Iterator[bool]:
    """Whether the lock of this folder is free, so that a run still called running has lost its process.

    When it is, it stays taken to the end of the block, lest a run begin in between.
    """
    descriptor = _open(folder)
    try:
        free = _try_lock(descriptor, folder)
        if free:
            os.ftruncate(descriptor, 0)
        yield free
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    try:
        return os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise folder_trouble(folder, error) from error


def _try_lock(descriptor: int, folder: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise folder_trouble(folder, error) from error
    return True


def _write_holder(descriptor: int, folder: Path, command: Sequence[str]) -> None:
    holder = Holder(
        pid=os.getpid(),
        user=printable(_user(), 120),
        host=printable(socket.gethostname(), 120),
        command=printable(shlex.join(command), 1000),
        since=datetime.now(UTC).replace(microsecond=0),
    )
    try:
        # In place: a new file under the same name would not be the one that is locked.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.model_dump_json().encode() + b"\n", 0)
    except OSError as error:
        raise folder_trouble(folder, error) from error


def _read_holder(descriptor: int) -> Holder | None:
    try:
        return Holder.model_validate_json(os.pread(descriptor, _HOLDER_LIMIT, 0))
    except (OSError, ValidationError):
        return None


def _busy(folder: Path, holder: Holder | None) -> BusyError:
    if holder is None:
        return BusyError(
            f"another run holds {folder / LOCK_NAME}, and the file does not say which",
            hint=f"find it with `fuser {shlex.quote(str(folder / LOCK_NAME))}`, or wait until it has ended",
        )
    since = f"{holder.since:%Y-%m-%d %H:%M:%S} UTC"
    return BusyError(
        f"another run uses {folder}: `{holder.command}`, process {holder.pid} of {holder.user} on {holder.host},"
        f" since {since}",
        hint=f"wait until it has ended, or end it with `kill -INT {holder.pid}` on {holder.host}: what it has seen is"
        " kept",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
