"""Single keys from a terminal, without waiting for the end of a line."""

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator


class Keys:
    """Keys of standard input; where that is no terminal, nobody ever presses one."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def pressed(self, seconds: float) -> str:
        """The first key within so many seconds; `\\0` when there was none."""
        if self._descriptor is None:
            time.sleep(seconds)
            return "\0"
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        typed = os.read(self._descriptor, 1) if ready else b""
        if ready and not typed:  # the terminal has gone
            self._descriptor = None
        return typed.decode("latin-1") or "\0"


@contextlib.contextmanager
def keys_of_terminal() -> Iterator[Keys]:
    """Take keys as they come until the end of the block, and then leave the terminal as it was."""
    if not sys.stdin.isatty():
        yield Keys(None)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield Keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
