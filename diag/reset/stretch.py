"""How much of a boot's journal was read: what is not in there proves something only where nothing is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diag.reset.entries import Entry

FIRST_SECOND_US = 1_000_000  # of the kernel: before it, nobody writes to a journal


@dataclass(frozen=True)
class Stretch:
    """One end of a boot, in order: the entries that were read, and those next to that end without one missing.

    `is_all` when the reading stopped because there was no more. `gapless` holds entries of every kind; of `entries`
    some may be older ones of one kind only.
    """

    entries: list[Entry]
    gapless: list[Entry]
    is_all: bool = True

    @property
    def since_s(self) -> float | None:
        """Seconds since boot from which on nothing is missing up to the end; 0 from the kernel's first second on."""
        if not self.gapless:
            return None
        return 0.0 if _is_of_the_first_second(self.gapless[0]) else self.gapless[0].arrived_us / 1e6

    def is_read_until(self, seconds: float) -> bool:
        """Whether nothing is missing from the kernel's first second on, up to this one or to where the journal ends."""
        if not self.gapless or not _is_of_the_first_second(self.gapless[0]):
            return False
        is_whole = self.is_all and len(self.gapless) == len(self.entries)
        return is_whole or self.gapless[-1].arrived_us >= seconds * 1e6


def gapless_before_the_end(entries: Sequence[Entry]) -> list[Entry]:
    """The newest of these entries, as far back as their numbers go on; all where they have none."""
    start = next((at for at in range(len(entries) - 1, 0, -1) if _is_gap(entries[at - 1], entries[at])), 0)
    return list(entries[start:])


def gapless_from_the_beginning(entries: Sequence[Entry]) -> list[Entry]:
    """The oldest of these entries, as far as their numbers go on; all where they have none."""
    end = next((at for at in range(1, len(entries)) if _is_gap(entries[at - 1], entries[at])), len(entries))
    return list(entries[:end])


def _is_gap(entry: Entry, following: Entry) -> bool:
    """journald numbers all entries on, whoever wrote them and whichever file they are in."""
    if entry.sequence is None and following.sequence is None:
        return False
    return entry.sequence is None or following.sequence != entry.sequence + 1


def _is_of_the_first_second(entry: Entry) -> bool:
    return entry.is_kernel and entry.at_us < FIRST_SECOND_US
