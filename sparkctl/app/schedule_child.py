"""The command of a schedule as a process of its own, which a bug or a hang cannot outlive its time in."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from sparkctl.model.printable import printable
from sparkctl.model.reports import RunReport

STOP_S = 10.0
"""How long the command may take to end in good order after SIGTERM, before it is killed."""

_POLL_S = 0.2
_LINE_BYTES = 16 * 2**20
_SAID_LINES = 200
_SAID_CHARACTERS = 1000
_REPORT: TypeAdapter[RunReport] = TypeAdapter(RunReport)


class Interrupted:
    """Whether SIGTERM, SIGINT or SIGHUP came while this was held with `with`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Wait, at most until a signal comes; whether one did."""
        return self._event.wait(max(seconds, 0))

    @contextlib.contextmanager
    def noted(self) -> Iterator["Interrupted"]:
        """Note signals until the end of the block."""
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: self._event.set()) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(slots=True)
class Ended:
    """How the command ended: its exit code (negative: by that signal), its report, and what it said on standard error.

    `late` is whether its time was over, `killed` whether it had to be killed.
    """

    code: int
    late: bool
    killed: bool
    report: RunReport | None
    said: list[str] = field(default_factory=list)

    @property
    def last_words(self) -> str:
        """The end of what it said, as one line."""
        return " ".join(line.strip() for line in self.said[-4:])


def program() -> tuple[str, ...]:
    """The command `sparkctl` of this installation, as argv."""
    script = Path(sys.executable).with_name("sparkctl")
    # -P keeps the current folder out of what is imported.
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "sparkctl")


def run_to_the_end(
    arguments: Sequence[str], seconds: float, interrupted: Interrupted, note: Callable[[str], None]
) -> Ended:
    """Run sparkctl with these arguments for at most `seconds`, and `STOP_S` to end in; reports and words go to `note`.

    It is in a session of its own: whatever it starts ends with it.
    """
    process = subprocess.Popen(
        [*program(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, cwd="/",
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101 - asked for above
    assert process.stderr is not None  # noqa: S101
    listener = _Listener(note)
    threads = [
        threading.Thread(target=listener.reports, args=(process.stdout,), daemon=True),
        threading.Thread(target=listener.words, args=(process.stderr,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    late, killed = _wait(process, seconds, interrupted)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it left behind, which would hold our pipes
    for thread in threads:
        thread.join(STOP_S)
    return Ended(process.returncode, late, killed, listener.report, listener.said)


def _wait(process: subprocess.Popen[bytes], seconds: float, interrupted: Interrupted) -> tuple[bool, bool]:
    """Wait for the end, and bring it about; whether time was over, and whether it had to be killed."""
    give_up = time.monotonic() + seconds
    stopped = False
    while process.poll() is None and not stopped:
        stopped = interrupted.wait(_POLL_S) or time.monotonic() >= give_up
    if process.poll() is not None:
        return False, False
    process.terminate()
    late = time.monotonic() >= give_up
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return late, True
    return late, False


class _Listener:
    """Takes in what the command prints: run records are in the store, so only reports and words are kept."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.report: RunReport | None = None
        self.said: list[str] = []
        self._note = note

    def reports(self, pipe: IO[bytes]) -> None:
        """Read standard output to its end."""
        while line := pipe.readline(_LINE_BYTES):
            if b"-report/" not in line[:80]:
                continue
            with contextlib.suppress(ValidationError):
                self.report = _REPORT.validate_json(line)
                self._note(line.decode("utf-8", "replace").rstrip("\n"))

    def words(self, pipe: IO[bytes]) -> None:
        """Read standard error to its end, and keep the end of it."""
        heard = 0
        while line := pipe.readline(_SAID_CHARACTERS):
            text = printable(line.decode("utf-8", "replace").rstrip("\n"), _SAID_CHARACTERS)
            self.said = [*self.said[-_SAID_LINES:], text]
            heard += 1
            if heard <= _SAID_LINES:
                self._note(f"stderr: {text}")
