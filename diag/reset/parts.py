"""Several files or commands that make up one source: one that cannot be read costs only itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool, Unevaluated, words_of
from diag.reset.words import SourceState

T = TypeVar("T")
PROBLEMS = (OSError, MissingTool, ValueError, Unevaluated)


class Parts:
    """Reads parts and keeps what went wrong with them.

    What is not there is proven absent on a live machine; in a tree it may just not have been collected.
    """

    def __init__(self, machine: Machine) -> None:
        self._is_live = machine.as_live
        self._was_read = False
        self._problems: list[Exception] = []

    def of(self, step: Callable[[], T]) -> T | None:
        """What the step returns, None where it raised what a source may raise."""
        try:
            value = step()
        except PROBLEMS as problem:
            self._problems.append(problem)
            return None
        self._was_read = True
        return value

    def state(self) -> tuple[str, str | None]:
        """Read, or read in part and why; raises the first problem where no part was read."""
        if self._problems and not self._was_read:
            raise self._problems[0]
        for problem in self._problems:
            if not (self._is_live and isinstance(problem, (FileNotFoundError, MissingTool))):
                return SourceState.PARTIAL, words_of(problem)
        return SourceState.READ, None
