"""What a sink is to whoever gives it events."""

import time
from collections.abc import Sequence
from typing import Protocol

from sparkctl.model.printable import printable
from sparkctl.model.sink import Answer, Down, Parcel, Result, Verdict

WORDS = 400
"""Characters of the far side's words that are kept."""


class Sink(Protocol):
    """A place to which events go. It is used by one thread."""

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send events, for no longer than `until` (`time.monotonic()`); what became of them. It raises no error of the
        far side, the network or a file.
        """

    def close(self) -> None:
        """Let go of connections and files."""


class SinkTrouble(Exception):
    """A sink cannot be used at present; what to say of it, and where it said when to come again, in seconds."""

    def __init__(self, words: str, retry_after_s: float | None = None) -> None:
        super().__init__(words)
        self.down = Down(printable(words, WORDS), retry_after_s)


def accepted(words: str = "accepted") -> Result:
    """The event is there."""
    return Result(Verdict.ACCEPTED, printable(words, WORDS))


def refused(words: str) -> Result:
    """The event never will be taken."""
    return Result(Verdict.REFUSED, printable(words, WORDS))


def failed(words: str) -> Result:
    """The event was not taken, and may be another time."""
    return Result(Verdict.FAILED, printable(words, WORDS))


def left(until: float, at_most: float) -> float:
    """Seconds for one step: what is left, `at_most`; raises SinkTrouble when nothing is."""
    seconds = min(until - time.monotonic(), at_most)
    if seconds <= 0:
        raise SinkTrouble("no time was left")
    return seconds


def reason(error: OSError) -> str:
    """Why a step failed, in few words."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    words = error.strerror if isinstance(error.strerror, str) and error.strerror else str(error)
    return printable(words or type(error).__name__, WORDS)
