"""Forked processes that lead groups of their own: how each begins, how it is ended, and that it ends with us."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import NoReturn

REAP_SECONDS = 0.2  # how long a killed process may take to go before it is left behind (it may sit in the kernel)
POLL_SECONDS = 0.005


def lead_a_group() -> None:
    """Begin a forked process: its own group, our signals undone, and none of our streams."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def end_group(pid: int) -> None:
    """Kill a forked process and whatever it started; never waits for one that cannot die."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    give_up = time.monotonic() + REAP_SECONDS
    while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < give_up:
        time.sleep(POLL_SECONDS)


class Leaving:
    """Whether a termination has asked this process to end.

    Its handler raises SystemExit, which Python drops where it strikes in a destructor or in a hook of fork: a loop
    asks again by `go_if_asked`.
    """

    def __init__(self) -> None:
        self._code: int | None = None

    def ask(self, number: int, _frame: object) -> NoReturn:
        """The handler of a signal: end this process with its code, uninterrupted by a second one."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._code = 128 + number
        raise SystemExit(self._code)

    def go_if_asked(self) -> None:
        """Raise SystemExit when the process was asked to end."""
        if self._code is not None:
            raise SystemExit(self._code)


@contextlib.contextmanager
def leaving_in_order() -> Iterator[Leaving]:
    """Let a termination end this process by an exception: forked ones lead groups, and nobody else would end them.

    What ends them stands in a `finally` inside of it.
    """
    leaving = Leaving()
    before = signal.signal(signal.SIGTERM, leaving.ask)
    try:
        yield leaving
    finally:
        signal.signal(signal.SIGTERM, before)
