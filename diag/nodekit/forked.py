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


@contextlib.contextmanager
def leaving_in_order() -> Iterator[None]:
    """Let a termination end this process by an exception: forked ones lead groups, and nobody else would end them.

    What ends them stands in a `finally` inside of it; it is not interrupted by a second one.
    """

    def leave(number: int, _frame: object) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
