"""Regular expressions that take time linear in what they read: RE2, behind a small typed face.

Every expression that meets bytes of a node goes through here; `re` backtracks and must not.
"""

from collections.abc import Sequence
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]

MEMORY = 256 * 2**20
"""Bytes that the automaton of one expression may take; beyond it RE2 goes on in less memory, several times slower."""
Span = tuple[int, int]


class Found(Protocol):
    """What was found: spans of the whole and of its groups, (-1, -1) for a group that took no part."""

    def span(self, group: int = 0) -> Span:
        """Where it stands."""
        ...


class _Compiled(Protocol):
    groups: int

    def search(self, text: bytes, pos: int, endpos: int) -> Found | None: ...

    def match(self, text: bytes, pos: int) -> Found | None: ...

    def fullmatch(self, text: bytes) -> Found | None: ...


def forget() -> None:
    """Let go of the expressions that were compiled: RE2's own cache would keep those of every disclosure, for ever."""
    re2.purge()


class Pattern:
    """A compiled expression over bytes, each byte one character; raises ValueError for what RE2 does not accept."""

    def __init__(self, expression: str, *, groups: bool = True) -> None:
        try:
            compiled = re2.compile(expression.encode("latin-1"), options=_options(groups=groups))
        except re2.error as error:
            raise ValueError(f"RE2 does not accept an expression: {error}") from error
        self._compiled = cast("_Compiled", compiled)
        self.search = self._compiled.search
        self.match = self._compiled.match
        self.fullmatch = self._compiled.fullmatch

    def spans(self, data: bytes, start: int = 0, end: int | None = None) -> Sequence[Span]:
        """Where it stands, from left to right, without overlap."""
        found, limit = [], len(data) if end is None else end
        while start < limit and (match := self.search(data, start, limit)) is not None:
            span = match.span()
            found.append(span)
            start = max(span[1], start + 1)
        return found

    def group(self, data: bytes) -> Span | None:
        """The span of the first group that took part, of the whole where there is none; None unless all matches."""
        match = self.fullmatch(data)
        if match is None:
            return None
        spans = (match.span(number) for number in range(1, self._compiled.groups + 1))
        return next((span for span in spans if span != (-1, -1)), match.span())


class PatternSet:
    """Several expressions at once; says which of them all of some bytes match."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._set = re2.Set.FullMatchSet(_options(groups=False))
        for expression in expressions:
            self._set.Add(expression.encode("latin-1"))
        self._set.Compile()

    def matching(self, data: bytes) -> list[int]:
        """The numbers of those that match, in order; none also where the automaton ran out of memory."""
        return sorted(self._set.Match(data) or ())


def _options(*, groups: bool) -> object:
    options = re2.Options()
    options.never_capture = not groups  # without groups RE2 needs its fastest automaton only
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MEMORY
    options.log_errors = False
    return options


def literal(value: bytes) -> str:
    """An expression that matches these very bytes."""
    return "".join(f"\\x{byte:02x}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in value)
