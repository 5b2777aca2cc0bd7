"""One progress line on a terminal's standard error, gone when the run is over."""

import time
from typing import TextIO

REDRAW_S = 0.1
ERASE = "\r\x1b[2K"


class ProgressLine:
    """Counts nodes as they finish; silent where standard error is not a terminal."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._shown = stream.isatty()
        self._drawn_at = 0.0
        self._started = time.monotonic()

    def update(self, reported: int, unreported: int) -> None:
        """Redraw, at most ten times a second."""
        now = time.monotonic()
        if not self._shown or now - self._drawn_at < REDRAW_S:
            return
        self._drawn_at = now
        lost = f", {unreported} not heard from" if unreported else ""
        done = reported + unreported
        self._stream.write(f"{ERASE}{done}/{self._total} nodes{lost}  {now - self._started:.0f} s")
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write(ERASE)
            self._stream.flush()
