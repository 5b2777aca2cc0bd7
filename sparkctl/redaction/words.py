"""Finds what is known of the node: whole words, in any case."""

from collections.abc import Iterator

from sparkctl.redaction.guards import is_alnum
from sparkctl.redaction.known import Known
from sparkctl.redaction.linear import Pattern, Span, literal

_ENDS_WORD = r"(?:[^0-9A-Za-z]|\z)"
"""What follows a value whose last character is a letter or a digit; an underscore parts words."""


class KnownWords:
    """Looks for the values that are known when it is made.

    It is an automaton of its own: one for these and the rules together would have the product of their states.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        values = [value for _, value in known]
        self._pattern = Pattern("|".join(map(_expression, values)), groups=False) if values else None

    def spans(self, data: bytes, start: int, end: int) -> Iterator[Span]:
        """Where they stand, from left to right; the longest of those that begin at one place."""
        at = start
        while self._pattern is not None and at < end and (found := self._pattern.search(data, at, end)) is not None:
            first, last = found.span()
            if first and is_alnum(data[first]) and is_alnum(data[first - 1]):
                at = first + 1
                continue
            at = last if self._known.get(data[first:last]) is not None else last - 1
            yield first, at


def _expression(value: bytes) -> str:
    return f"(?i:{literal(value)}){_ENDS_WORD if is_alnum(value[-1]) else ''}"
