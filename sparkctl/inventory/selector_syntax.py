"""The grammar of selectors: `,` is or, `&` is and, `!` is not, and `&` binds tighter than `,`.

    selector = all-of { "," all-of }
    all-of   = negated { "&" negated }
    negated  = { "!" } ( "(" selector ")" | term )

A term is `all`, `@group`, a name, range or glob, or `field=value` and `field!=value`. Quotes protect any character.
"""

import re
from dataclasses import dataclass

from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

MAX_TEXT = 131_072
"""Characters of a selector; one argument of a command line is no longer on Linux."""

MAX_DEPTH = 50
"""Parentheses inside each other."""

_SPACE = re.compile(r"\s*")
_TERM = re.compile(r"""(?:\[[^\[\]]*\]|"[^"]*"|'[^']*'|!=|[^\s,&!()\[\]"'])+""")
_COMPARISON = re.compile(r"""((?:"[^"]*"|'[^']*'|[^"'=!\[\]])+)(!?=)(.*)""", re.DOTALL)
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_WINDOW = 90


class SelectorError(UsageError):
    """A selector that cannot be followed. The message shows the text with a caret; `reason` is the sentence alone."""

    def __init__(self, reason: str, text: str, offset: int, *, hint: str | None = None) -> None:
        super().__init__(f"{reason}\n{_with_caret(text, offset)}", hint=hint)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. Without a `field` the value is a name, range or glob; `value` is unquoted, `offset` its place."""

    field: str | None
    negated: bool
    value: str
    offset: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that the part does not select."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What at least one part selects."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """What every part selects."""

    parts: tuple["Expression", ...]


Expression = Term | Not | AnyOf | AllOf


def parse(text: str) -> Expression:
    """Return the expression that a selector stands for; raises SelectorError with the place of the fault."""
    if len(text) > MAX_TEXT:
        raise SelectorError(f"the selector is longer than {MAX_TEXT:,} characters", text, 0)
    return _Parser(text).parse()


def terms(expression: Expression) -> list[Term]:
    """Every term of an expression, in the order written."""
    found: list[Term] = []
    left = [expression]
    while left:
        part = left.pop()
        if isinstance(part, Term):
            found.append(part)
        elif isinstance(part, Not):
            left.append(part.part)
        else:
            left.extend(reversed(part.parts))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._depth = 0

    def parse(self) -> Expression:
        expression = self._any_of()
        if self._peek():
            raise self._unexpected()
        return expression

    def _any_of(self) -> Expression:
        parts = [self._all_of()]
        while self._take(","):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all_of(self) -> Expression:
        parts = [self._negated()]
        while self._take("&"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _negated(self) -> Expression:
        negated = False
        while self._take("!"):
            negated = not negated
        part = self._group() if self._peek() == "(" else self._term()
        return Not(part) if negated else part

    def _group(self) -> Expression:
        opened = self._offset
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} parentheses inside each other", opened)
        self._take("(")
        expression = self._any_of()
        if not self._take(")"):
            if self._peek():
                raise self._unexpected()
            raise self._error("this parenthesis is not closed", opened)
        self._depth -= 1
        return expression

    def _term(self) -> Term:
        self._peek()
        found = _TERM.match(self._text, self._offset)
        if found is None or found[0].startswith("!="):
            raise self._no_term()
        start, self._offset = self._offset, found.end()
        return self._read_term(found[0], start)

    def _read_term(self, text: str, start: int) -> Term:
        if text.startswith("@"):
            return self._comparison("group", "=", text[1:], start + 1)
        found = _COMPARISON.fullmatch(text)
        if found is None:
            return Term(None, negated=False, value=_unquote(text), offset=start, quoted=text[0] in "\"'")
        return self._comparison(_unquote(found[1]), found[2], found[3], start)

    def _comparison(self, field: str, operator: str, value: str, offset: int) -> Term:
        if field == "group" and not value:
            raise self._error("a group's name is missing", min(offset, len(self._text) - 1))
        return Term(
            field, operator == "!=", _unquote(value), offset, quoted=value[:1] in ("'", '"') if value else False
        )

    def _peek(self) -> str:
        found = _SPACE.match(self._text, self._offset)
        self._offset = found.end() if found else self._offset
        return self._text[self._offset : self._offset + 1]

    def _take(self, character: str) -> bool:
        taken = self._peek() == character
        self._offset += taken
        return taken

    def _no_term(self) -> SelectorError:
        character = self._text[self._offset : self._offset + 1]
        if character in ("[", "]"):
            return self._error("this bracket has no partner", self._offset)
        if character in ("'", '"') and character:
            return self._error("this quote is not closed", self._offset)
        if not self._text.strip():
            return SelectorError("the selector is empty", self._text, 0, hint="Write `all` for every node.")
        return self._error("a name, field=value or ( is missing here", self._offset)

    def _unexpected(self) -> SelectorError:
        character = self._text[self._offset]
        if character in "[]":
            return self._error("this bracket has no partner", self._offset)
        if character in "'\"":
            return self._error("this quote is not closed", self._offset)
        if character == ")":
            return self._error("this parenthesis was not opened", self._offset)
        return self._error("a comma (or) or & (and) is missing here", self._offset)

    def _error(self, reason: str, offset: int) -> SelectorError:
        return SelectorError(reason, self._text, offset)


def _unquote(text: str) -> str:
    return _QUOTED.sub(lambda found: found[1] if found[1] is not None else found[2], text)


def _with_caret(text: str, offset: int) -> str:
    """The text on one line, cut around the fault, and a caret under it."""
    start = max(0, offset - _WINDOW // 2)
    shown = "".join(character if len(printable(character)) == 1 else "?" for character in text[start : start + _WINDOW])
    before = "…" if start else ""
    after = "…" if len(text) > start + _WINDOW else ""
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + offset - start)}^"
