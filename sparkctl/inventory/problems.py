"""What is wrong with an inventory, collected rather than thrown, each with its place and the way out."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Severity

MAX_QUOTED = 120
"""Characters of an operator's text that a message repeats at most."""

_MAX_TEXT = 1000


class Where(NamedTuple):
    """A place in an inventory: file, line from 1, and dotted key, the latter two where they are known."""

    file: str
    line: int | None = None
    key: str | None = None


class SourceFault(Exception):
    """A file that cannot be read any further; the rest of the inventory still can."""

    def __init__(self, where: Where, message: str, action: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message
        self.action = action


class Problems:
    """The problems found so far. The same problem at the same place is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Where, str], Problem] = {}

    def error(self, where: Where, message: str, action: str) -> None:
        """Note what makes the inventory unusable."""
        self._note(Severity.ERROR, where, message, action)

    def warning(self, where: Where, message: str, action: str) -> None:
        """Note what is probably not meant."""
        self._note(Severity.WARNING, where, message, action)

    def fault(self, fault: SourceFault) -> None:
        """Note what ended the reading of one file."""
        self._note(Severity.ERROR, fault.where, fault.message, fault.action)

    def has_errors(self) -> bool:
        """Whether anything found makes the inventory unusable."""
        return any(problem.severity is Severity.ERROR for problem in self._found.values())

    def listed(self) -> list[Problem]:
        """Every problem: files in the order they were met, each from top to bottom."""
        files: dict[str, int] = {}
        for problem in self._found.values():
            files.setdefault(problem.file, len(files))
        return sorted(self._found.values(), key=lambda problem: (files[problem.file], problem.line or 0))

    def _note(self, severity: Severity, where: Where, message: str, action: str) -> None:
        if (where, message) in self._found:
            return
        self._found[where, message] = Problem(
            severity=severity,
            file=printable(where.file, _MAX_TEXT),
            line=where.line,
            key=printable(where.key, _MAX_TEXT) if where.key else None,
            message=printable(message, _MAX_TEXT),
            action=printable(action, _MAX_TEXT),
        )


def nearest(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words that are spelled most like `word`, the best first."""
    if len(word) > MAX_QUOTED:
        return []
    return get_close_matches(word, sorted(known), n=count, cutoff=0.6)


def unknown_key_action(word: str, known: Iterable[str]) -> str:
    """What to do about a key nobody knows: the nearest known one, or all of them."""
    known = sorted(known)
    close = nearest(word, known, 1)
    return f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
