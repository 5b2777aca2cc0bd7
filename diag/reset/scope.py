"""Which boots are looked at: those of one transition, or of all up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_BACK = 12


@dataclass(frozen=True)
class Scope:
    """`back` is 0 for the newest transition, 1 for the one before it; None for all, up to `most`."""

    back: int | None = 0
    most: int = MOST_BACK

    def of(self, newest: str, before: Callable[[str], str | None]) -> list[str]:
        """The boots to read, oldest first: from the newest back to the one whose end is asked for."""
        found = [newest]
        most = self.most if self.back is None else self.back + 1
        while len(found) <= most:
            previous = before(found[-1])
            if previous is None or previous in found:
                break
            found.append(previous)
        return found[::-1]
