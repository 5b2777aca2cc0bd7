"""Finds what is to be replaced in a piece of text, however it is written."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain

from sparkctl.redaction import views
from sparkctl.redaction.edits import Edit, in_order
from sparkctl.redaction.known import Known
from sparkctl.redaction.linear import Pattern, PatternSet
from sparkctl.redaction.pem import RULE as PEM_RULE
from sparkctl.redaction.pem import PemState, pem_bodies, pem_edits
from sparkctl.redaction.rule import Rule
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.runs import Runs
from sparkctl.redaction.standins import Class, Pseudonyms
from sparkctl.redaction.words import KnownWords

KNOWN_RULE = "known"
LEVELS = 3
"""How deep encodings may lie in one another: a log line in the output of a command in a recording, and base64 in it."""
CACHED = 200_000
LONG = 480
"""From here on a secret may be longer than its pattern allows, and goes on to the next blank or quote."""
_REST = Pattern(r"[^\s\"'<>,;\\]+", groups=False)
Heard = Callable[[str, Class, bytes], None]
"""Is told the name of a rule, the class, and a value that it found."""
Hit = tuple[Rule, int, int, bytes]
"""A rule, where the value lies in what was found, and its stand-in."""


class Scanner:
    """The rules of one disclosure.

    `tick` is called now and then and may raise to end a scan; `heard` is called for each value that a rule finds.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        known: Known,
        rules: Sequence[Rule] = RULES,
        tick: Callable[[], None] | None = None,
        heard: Heard | None = None,
    ) -> None:
        self._pseudonyms, self._known = pseudonyms, known
        self._rules = [(rule, _compiled(rule.pattern)) for rule in rules]
        self._which = _set_of(tuple(rule.pattern for rule in rules))
        self._tick, self._heard = tick or (lambda: None), heard
        self._words = KnownWords(known)
        self._finder = _found_by(tuple(rule.pattern for rule in rules))
        self._hits: dict[bytes, tuple[Hit, ...]] = {}
        self._runs = Runs()

    def edits(self, data: bytes, start: int = 0, *, levels: int = LEVELS, is_json: bool = False) -> list[Edit]:
        """Everything to be replaced from `start` to the end, in order; what lies before `start` is context only.

        In JSON a backslash is an escape and no part of a value.
        """
        found = list(self._found(data, start, levels, is_json=is_json))
        return in_order(found) if found else found

    def _found(self, data: bytes, start: int, levels: int, *, is_json: bool) -> Iterator[Edit]:
        for first, last, coded in _stretches(data, start):
            yield from self._plain(data, first, last, quoted_only=coded and is_json and levels > 0)
            if levels == 0:
                continue
            inner = partial(self.whole, levels=levels - 1)
            if coded:
                yield from self._viewed(data, first, last, levels)
            if not (coded and is_json):
                yield from self._runs.edits(data, first, last, inner)

    def whole(self, data: bytes, *, levels: int = LEVELS) -> list[Edit]:
        """As `edits`, of a text that is there from beginning to end, so that blocks of PEM in it end with it."""
        edits = self.edits(data, levels=levels)
        if b"-----BEGIN " in data:
            edits = in_order([*edits, *self.pem(data, 0, PemState())])
        return edits

    def pem(self, data: bytes, start: int, state: PemState) -> list[Edit]:
        """The bodies of PEM blocks from `start` on."""
        bodies = pem_bodies(data, start, state)
        if self._heard is not None:
            for body in bodies:
                if body.private:
                    self._heard(PEM_RULE, Class.PEM, data[body.start : body.end])
        return pem_edits(data, bodies, self._pseudonyms)

    def _viewed(self, data: bytes, start: int, end: int, levels: int) -> Iterator[Edit]:
        for escapes, resolve in ((views.ESCAPE, views.unescaped), (views.PERCENT, views.unquoted)):
            seen = views.view(data, escapes, resolve, start, end)
            if seen is not None:
                for edit in self.whole(seen.data, levels=levels - 1):
                    yield from seen.apart(edit)

    def _plain(self, data: bytes, start: int, end: int, *, quoted_only: bool) -> Iterator[Edit]:
        for edit in chain(self._known_words(data, start, end), self._ruled(data, start, end)):
            if edit.new != data[edit.start : edit.end] and (not quoted_only or _is_in_quotes(data, edit)):
                yield edit

    def _known_words(self, data: bytes, start: int, end: int) -> Iterator[Edit]:
        for first, last in self._words.spans(data, start, end):
            self._tick()
            text = data[first:last]
            kind, value = self._known.get(text) or (Class.SECRET, text)
            new = self._written(kind, text) if kind in FORMED else self._pseudonyms.of(kind, value)
            yield Edit(first, last, new, (KNOWN_RULE,))

    def _ruled(self, data: bytes, start: int, end: int) -> Iterator[Edit]:
        at = start
        while at < end and (found := self._finder.search(data, at, end)) is not None:
            self._tick()
            first, last = found.span()
            edit = self._by_rule(data, first, last)
            at = first + 1 if edit is None else edit.end
            if edit is not None:
                yield edit

    def _by_rule(self, data: bytes, first: int, last: int) -> Edit | None:
        text = data[first:last]
        hits = self._hits.get(text)
        if hits is None:
            if len(self._hits) >= CACHED:
                self._hits.clear()
            hits = self._hits[text] = tuple(self._judge(text))
        for rule, start, end, new in hits:
            if rule.accepts is not None and not rule.accepts(data, first, last):
                continue
            stop = first + end
            if rule.kind is Class.SECRET and end - start >= LONG and (rest := _REST.match(data, stop)) is not None:
                stop = rest.span()[1]
            if self._heard is not None:
                self._heard(rule.id, rule.kind, data[first + start : stop])
            return Edit(first + start, stop, new, (rule.id,))
        return None

    def _judge(self, text: bytes) -> Iterator[Hit]:
        """Every rule that what was found is a whole of."""
        for number in self._which.matching(text) or range(len(self._rules)):
            rule, pattern = self._rules[number]
            place = pattern.group(text)
            if place is None:
                continue
            start, end = place
            if rule.ends is not None:
                end = start + rule.ends(text[start:end])
            value = text[start:end]
            if rule.takes is None or rule.takes(value):
                yield rule, start, end, self._written(rule.kind, value)

    def _written(self, kind: Class, value: bytes) -> bytes:
        if kind is Class.UUID and self._known.keeps(value):
            return value
        known = self._known.get(value)
        if known is not None and kind not in FORMED:
            return self._pseudonyms.of(*known)
        host, _, domain = value.partition(b".")
        if kind is Class.DOMAIN and domain and (self._known.get(host) or (kind,))[0] is Class.HOST:
            return self._written(Class.HOST, host) + b"." + self._written(Class.DOMAIN, domain)
        return self._pseudonyms.of(kind, value)


FORMED = frozenset({Class.UUID, Class.MAC, Class.IPV4, Class.IPV6, Class.HEX, Class.SSH_KEY, Class.FINGERPRINT})
"""Classes whose stand-ins are written as the value is."""


@cache
def _compiled(expression: str) -> Pattern:
    return Pattern(expression)


@cache
def _found_by(expressions: tuple[str, ...]) -> Pattern:
    """Finds whatever one of them finds; kept, since an automaton grows with what it has met."""
    return Pattern("|".join(f"(?:{expression})" for expression in expressions), groups=False)


@cache
def _set_of(expressions: tuple[str, ...]) -> PatternSet:
    return PatternSet(expressions)


def _is_in_quotes(data: bytes, edit: Edit) -> bool:
    return data[edit.start - 1 : edit.start] == b'"' and data[edit.end : edit.end + 1] == b'"'


def _stretches(data: bytes, start: int) -> Iterator[tuple[int, int, bool]]:
    """Parts of whole lines: those with escapes in them one by one, and what lies between."""
    at = start
    while at < len(data):
        found = views.CODED.search(data, at, len(data))
        if found is None:
            yield at, len(data), False
            return
        line = max(data.rfind(b"\n", at, found.span()[0]) + 1, at)
        if line > at:
            yield at, line, False
        end = data.find(b"\n", found.span()[1]) + 1 or len(data)
        yield line, end, True
        at = end
