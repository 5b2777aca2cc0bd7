"""The log of one schedule: for its owner alone, put aside compressed when it has grown, and the oldest let go."""

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.atomic_file import replace_file
from sparkctl.model.schedule import LogSettings

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class ScheduleLog:
    """`NAME.log`, and `NAME.log.1.gz` (the newest) to `NAME.log.N.gz` beside it.

    A log that cannot be written or put aside stops no run: it is a `trouble`, told at the end.
    """

    def __init__(self, settings: LogSettings, name: str) -> None:
        self.path = settings.folder / f"{name}.log"
        self.trouble: str | None = None
        self._settings = settings

    def rotate(self) -> None:
        """Put the log aside if it has its size. Only who holds the schedule's lock does this."""
        try:
            if self.path.exists() and self.path.stat().st_size >= self._settings.max_bytes:
                self._put_aside()
        except OSError as error:
            self.trouble = f"the log {self.path} cannot be put aside: {error.strerror}"

    def note(self, line: str) -> None:
        """Add a line with the time."""
        try:
            descriptor = os.open(self.path, _FLAGS, 0o600)
            try:
                os.write(descriptor, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n".encode(errors="replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            self.trouble = f"the log {self.path} cannot be written: {error.strerror}"

    def _put_aside(self) -> None:
        for number in range(self._settings.keep, 0, -1):
            older = self._aside(number)
            if older.exists():
                older.replace(self._aside(number + 1))
        self._aside(self._settings.keep + 1).unlink(missing_ok=True)
        # At most its size and what one run adds, which is bounded.
        replace_file(self._aside(1), gzip.compress(self.path.read_bytes(), mtime=0), 0o600)
        self.path.unlink()

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}.gz")
