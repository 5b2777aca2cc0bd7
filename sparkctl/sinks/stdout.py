"""Standard output, one line for each event: for a pipe into a program of the operator's own."""

import sys
from collections.abc import Sequence
from typing import TextIO

from sparkctl.model.sink import Answer, Parcel
from sparkctl.sinks.seam import SinkTrouble, accepted, reason


class StdoutSink:
    """Prints events."""

    def __init__(self, stream: TextIO | None = None) -> None:
        # Where it was closed before we began, `sys.stdout` is a stand-in that takes all, and nobody reads it.
        self._stream = stream or (None if sys.__stdout__ is None else sys.stdout)

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:  # noqa: ARG002 - a pipe has no time limits
        """Print a batch; whoever has left by then has none of it."""
        if self._stream is None:
            return Answer([], SinkTrouble("standard output is closed").down, len(batch))
        try:
            self._stream.write("".join(f"{parcel.payload}\n" for parcel in batch))
            self._stream.flush()
        except OSError as error:
            return Answer([], SinkTrouble(f"standard output: {reason(error)}").down, len(batch))
        return Answer([accepted("printed")] * len(batch))

    def close(self) -> None:
        """Nothing is ours to close."""
