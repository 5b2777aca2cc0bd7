"""What a schedule remembers from start to start, and what it leaves for others: heartbeat and metrics."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from sparkctl.app.schedule_metrics import metrics
from sparkctl.atomic_file import replace_file
from sparkctl.errors import BusyError, UsageError
from sparkctl.model.base import Record, UtcDatetime
from sparkctl.model.printable import printable
from sparkctl.model.schedule import Heartbeat, Schedule, SchedulePlan, Skips
from sparkctl.store.location import folder_trouble, make_state_dir

FRESH = timedelta(minutes=10)
"""How late a first start may be: one that was due before the schedule was installed is nobody's loss."""

_MAX_BYTES = 64 * 1024


class Memory(Record):
    """The newest start that was taken, and the skips."""

    memory_schema: Annotated[Literal["sparkctl.schedule-memory/1"], Field(alias="schema")] = (
        "sparkctl.schedule-memory/1"
    )
    taken: UtcDatetime | None = None
    skips: Skips = Skips()


class Keeper:
    """Reads and writes the files of one schedule; each change is made under a lock held for that moment only."""

    def __init__(self, plan: SchedulePlan, schedule: Schedule) -> None:
        self._plan, self._schedule = plan, schedule
        self._folder = plan.state / "schedules"

    def prepare(self) -> None:
        """Make the folders in the state folder; raises StoreError."""
        make_state_dir(self._plan.state)
        for folder in (self._folder, self._plan.log.folder, self._plan.heartbeats):
            if folder.is_relative_to(self._plan.state):
                make_state_dir(folder)

    def take(self, now: datetime) -> datetime | None:
        """Take the newest start, so that nobody takes it again; None when it is taken, or none is due."""
        start = self._schedule.times.latest(now)
        with self._changing() as memory:
            taken = memory.taken
            # A start in the future was taken by a clock that has been set back since: it proves nothing.
            due = now - start <= FRESH if taken is None or taken > now else start > taken
            if due:
                self._write(memory.model_copy(update={"taken": start}))
        return start if due else None

    @contextmanager
    def running(self) -> Iterator[None]:
        """The right to run this schedule, by a lock of the kernel; raises BusyError."""
        descriptor = self._lock("run")
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"another run of the schedule {self._schedule.name} goes on") from None
            yield
        finally:
            os.close(descriptor)

    def skipped(self, now: datetime, why: str) -> Skips:
        """Count a skip, and show it in heartbeat and metrics."""
        with self._changing() as memory:
            before = memory.skips
            skips = Skips(
                in_a_row=before.in_a_row + 1, total=before.total + 1, last_at=now, last_why=printable(why, 1000)
            )
            self._write(memory.model_copy(update={"skips": skips}))
            heartbeat = self.heartbeat()
            if heartbeat is not None:
                heartbeat = heartbeat.model_copy(update={"skips": skips})
            self._publish(heartbeat, skips)
        return skips

    def ended(self, heartbeat: Heartbeat) -> Heartbeat:
        """Publish the heartbeat of a run that ended, with what is remembered of skips; a row of them is over."""
        with self._changing() as memory:
            skips = memory.skips.model_copy(update={"in_a_row": 0})
            self._write(memory.model_copy(update={"skips": skips}))
            whole = heartbeat.model_copy(update={"skips": skips})
            self._publish(whole, skips)
        return whole

    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat, None when there was none yet; raises UsageError for a file that is not one."""
        path = self.heartbeat_path
        try:
            content = _content(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", hint="see to its owner and mode") from error
        try:
            return Heartbeat.model_validate_json(content)
        except ValidationError as error:
            raise UsageError(
                f"{path} is no heartbeat of a schedule", hint="remove it; the next run writes one"
            ) from error

    def skips(self) -> Skips | None:
        """The skips as remembered; None for who may not read that, or when there is nothing yet."""
        return self._read().skips if os.access(self._memory_path, os.R_OK) else None

    @property
    def heartbeat_path(self) -> Path:
        """Where the heartbeat is."""
        return self._plan.heartbeats / f"{self._schedule.name}.json"

    @contextmanager
    def _changing(self) -> Iterator[Memory]:
        descriptor = self._lock("memory")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for a few writes only, so that waiting ends
            yield self._read()
        finally:
            os.close(descriptor)

    def _lock(self, what: str) -> int:
        path = self._folder / f"{self._schedule.name}.{what}.lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise folder_trouble(self._folder, error) from error

    def _read(self) -> Memory:
        try:
            return Memory.model_validate_json(_content(self._memory_path))
        except (OSError, ValidationError):
            return Memory()  # as before the first start: at worst a start is taken twice, under the lock

    def _write(self, memory: Memory) -> None:
        _replace(self._memory_path, memory.model_dump_json() + "\n", 0o600)

    @property
    def _memory_path(self) -> Path:
        return self._folder / f"{self._schedule.name}.memory"

    def _publish(self, heartbeat: Heartbeat | None, skips: Skips) -> None:
        if heartbeat is not None:
            _replace(self.heartbeat_path, heartbeat.model_dump_json() + "\n", 0o644)
        if self._plan.prom is not None:
            path = self._plan.prom / f"sparkctl_{self._schedule.name}.prom"
            _replace(path, metrics(self._schedule, heartbeat, skips), 0o644)


def _content(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return file.read(_MAX_BYTES)


def _replace(path: Path, text: str, mode: int) -> None:
    try:
        replace_file(path, text.encode(), mode)
    except OSError as error:
        hint = "make the folder, give it to the user of the schedule, or free some space"
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint=hint) from error
