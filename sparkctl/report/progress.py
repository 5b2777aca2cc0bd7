"""One progress line on a terminal's standard error, gone when the run is over."""

import time
from collections.abc import Collection
from typing import TextIO

from sparkctl.report.words import names

ERASE = "\r\x1b[2K"
MOST_NAMED = 8
WIDTH = 79


class ProgressLine:
    """Says how many nodes are done and which are awaited; silent where standard error is not a terminal."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._shown = stream.isatty()
        self._started = time.monotonic()

    def draw(self, done: int, awaited: Collection[str]) -> None:
        """Draw the line anew."""
        if not self._shown:
            return
        line = f"{done}/{self._total} nodes  {time.monotonic() - self._started:.0f} s"
        if awaited:
            line += f"  waiting for {names(awaited) if len(awaited) <= MOST_NAMED else len(awaited)}"
        self._stream.write(ERASE + line[:WIDTH])
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write(ERASE)
            self._stream.flush()
