"""Select nodes: `spark[01-08]`, `spark*`, `rack=a1`, `@train`, `unit=pair-3`, joined by `,` (or), `&` (and), `!` (not).

Nobody is silently missing: a name, group, unit, rack or label that no node has is an error, wherever in the selector
it stands, and so is a selector that selects nothing.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fnmatch import translate
from functools import reduce
from operator import and_, or_

from sparkctl.inventory.problems import nearest
from sparkctl.inventory.ranges import RangeError, expand, fold, has_range
from sparkctl.inventory.selector_syntax import AllOf, Expression, Not, SelectorError, Term, parse, terms
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.printable import printable

PLAIN_FIELDS = frozenset(
    {"site", "rack", "power_group", "unit", "state", "serial", "transport", "elevation", "host", "user"}
)
"""Fields that hold at most one value."""

FIELDS = PLAIN_FIELDS | {"node", "group", "simulated"}
"""Every word that is a field of a node; any other word before `=` is a label."""

CHANGING_FIELDS = frozenset({"state", "transport", "elevation", "simulated"})
"""Fields that a selector may ask for a value that no node has just now; of any other, such a value is a misspelling."""

_NAMES_SHOWN = 8


@dataclass(slots=True)
class Subject:
    """What a selector sees of one node. Fields and labels without a value are left out."""

    name: str
    fields: dict[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    labels: dict[str, str] = field(default_factory=dict)


def select(fleet: Fleet, text: str) -> list[Node]:
    """Return the nodes that a selector names, in the order of the fleet.

    Raises SelectorError, a UsageError, when the text is no selector, names what does not exist, or selects nothing.
    """
    expression = parse(text)
    by_name = names_alone(expression)  # as most selectors are, and a large fleet has much else to tell
    subjects = [Subject(node.node_id) if by_name else _subject(node) for node in fleet.nodes]
    evaluation = Evaluation(View(subjects), text)
    selected = evaluation.evaluate(expression)
    if not selected:
        raise evaluation.nothing_selected(expression)
    return [node for index, node in enumerate(fleet.nodes) if index in selected]


def names_alone(expression: Expression) -> bool:
    """Whether an expression asks for nothing but names of nodes."""
    return all(term.field in (None, "node") for term in terms(expression))


class View:
    """Subjects with an index of each field that was asked for, so that many selectors cost little more than one."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self.everyone = frozenset(range(len(subjects)))
        self.by_name = {subject.name: index for index, subject in enumerate(subjects)}
        self.labels = {label for subject in subjects for label in subject.labels}
        self._by_value: dict[str, dict[str, set[int]]] = {}

    def by_value(self, name: str) -> dict[str, set[int]]:
        """The indexes of the subjects that have each value of a field or label."""
        if name not in self._by_value:
            found: dict[str, set[int]] = {}
            for index, subject in enumerate(self.subjects):
                for value in _values(subject, name):
                    found.setdefault(value, set()).add(index)
            self._by_value[name] = found
        return self._by_value[name]


def _values(subject: Subject, name: str) -> Collection[str]:
    if name == "group":
        return subject.groups
    value = subject.fields.get(name) if name in FIELDS else subject.labels.get(name.removeprefix("label."))
    return () if value is None else (value,)


class Evaluation:
    """Evaluates expressions of one text over one view, as sets of indexes."""

    def __init__(self, view: View, text: str) -> None:
        self._view = view
        self._text = text

    def evaluate(self, expression: Expression) -> AbstractSet[int]:
        """Return the indexes of the subjects that the expression selects; every part is looked at, needed or not."""
        if isinstance(expression, Term):
            return self._term(expression)
        if isinstance(expression, Not):
            return self._view.everyone - self.evaluate(expression.part)
        sets = [self.evaluate(part) for part in expression.parts]
        return reduce(and_ if isinstance(expression, AllOf) else or_, sets)

    def _term(self, term: Term) -> AbstractSet[int]:
        found = self._named(term) if term.field in (None, "node") else self._compared(term, term.field or "")
        return self._view.everyone - found if term.negated else found

    def _named(self, term: Term) -> AbstractSet[int]:
        found: set[int] = set()
        missing: list[str] = []
        for pattern in self._patterns(term):
            if pattern == "all" and not term.quoted:
                found |= self._view.everyone
            elif pattern in self._view.by_name:
                found.add(self._view.by_name[pattern])
            else:
                matching = self._globbed(pattern) if _is_glob(pattern) and not term.quoted else set()
                found |= matching
                missing += [] if matching else [pattern]
        if missing:
            raise self._unknown("node", missing, self._view.by_name, term)
        return found

    def _globbed(self, pattern: str) -> set[int]:
        matches = re.compile(translate(pattern)).match
        return {index for name, index in self._view.by_name.items() if matches(name)}

    def _compared(self, term: Term, name: str) -> AbstractSet[int]:
        if name == "group" and term.value == "all":
            return self._view.everyone
        if name not in FIELDS:
            self._require_label(name, term)
        by_value = self._view.by_value(name)
        if not term.value:
            return self._view.everyone.difference(*by_value.values())
        matcher = _Matcher(self._patterns(term), quoted=term.quoted)
        if name not in CHANGING_FIELDS:
            self._require_values(name, matcher, term)
        return set().union(*(by_value[value] for value in matcher.among(by_value)))

    def _patterns(self, term: Term) -> list[str]:
        if term.quoted or not has_range(term.value):
            return [term.value]
        try:
            return expand(term.value)
        except RangeError as error:
            offset = self._text.find("[", term.offset)
            raise SelectorError(error.reason, self._text, max(offset, term.offset), hint=error.hint) from error

    def _require_label(self, name: str, term: Term) -> None:
        label = name.removeprefix("label.")
        if label in self._view.labels:
            return
        if label == name:
            reason = f"{printable(name)} is neither a field nor a label of any node"
            hint = _names_hint(label, self._view.labels | FIELDS, "Fields and labels are")
        else:
            reason, hint = (
                f"no node has a label {printable(label)}",
                _names_hint(label, self._view.labels, "The labels are"),
            )
        raise SelectorError(reason, self._text, term.offset, hint=hint)

    def _require_values(self, name: str, matcher: "_Matcher", term: Term) -> None:
        known = self._view.by_value(name)
        missing = [pattern for pattern in matcher.patterns if not matcher.matches_any(pattern, known)]
        if missing:
            raise self._unknown(name, missing, known, term)

    def _unknown(self, kind: str, missing: list[str], known: Iterable[str], term: Term) -> SelectorError:
        globbed = _is_glob(missing[0])
        shown = printable(fold(missing) if len(missing) > 1 and not globbed else missing[0])
        if kind not in ("node", "group", "unit"):
            return self._no_value(kind, "=", shown, known, term)
        reason = f"no {kind} matches {shown}" if globbed else f"there is no {kind} {shown}"
        return SelectorError(
            reason, self._text, term.offset, hint=_names_hint(missing[0], set(known), f"The {kind}s are")
        )

    def nothing_selected(self, expression: Expression) -> SelectorError:
        """Say which comparison had no node of its own, for that is usually the wrong one."""
        for term in terms(expression):
            if term.field is not None and not self.evaluate(term):
                operator = "!=" if term.negated else "="
                known = self._view.by_value(term.field)
                return self._no_value(term.field, operator, printable(term.value), known, term)
        hint = "Each part selects some node, but no node satisfies all of it."
        return SelectorError("the selector selects no node", self._text, 0, hint=hint)

    def _no_value(self, name: str, operator: str, value: str, known: Iterable[str], term: Term) -> SelectorError:
        hint = _names_hint(term.value, set(known), f"{printable(name)} is one of")
        return SelectorError(f"no node has {printable(name)}{operator}{value}", self._text, term.offset, hint=hint)


class _Matcher:
    """Holds values against exact texts and globs; quoted texts are exact whatever they hold."""

    def __init__(self, patterns: list[str], *, quoted: bool) -> None:
        self.patterns = patterns
        self._exact = {pattern for pattern in patterns if quoted or not _is_glob(pattern)}
        self._globs = {
            pattern: re.compile(translate(pattern)).match for pattern in patterns if pattern not in self._exact
        }

    def among(self, values: Collection[str]) -> set[str]:
        """The values that at least one pattern matches."""
        exact = self._exact.intersection(values)
        return exact.union(value for value in values if any(match(value) for match in self._globs.values()))

    def matches_any(self, pattern: str, values: Collection[str]) -> bool:
        """Whether one pattern matches one of the values."""
        return pattern in values if pattern in self._exact else any(map(self._globs[pattern], values))


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _names_hint(word: str, known: set[str], introduction: str) -> str:
    close = nearest(word.replace("*", "").replace("?", ""), known)
    if close:
        return f"The nearest: {', '.join(map(printable, close))}."
    if not known:
        return "The inventory has none."
    shown = ", ".join(printable(name) for name in sorted(known)[:_NAMES_SHOWN])
    return f"{introduction} {shown}{', …' if len(known) > _NAMES_SHOWN else '.'}"


def _subject(node: Node) -> Subject:
    fields = {
        "site": node.site,
        "rack": node.rack,
        "power_group": node.power_group,
        "unit": node.unit,
        "state": node.state,
        "serial": node.serial,
        "transport": node.transport,
        "elevation": str(node.elevation),
        "host": node.ssh.host or node.node_id,
        "user": node.ssh.user,
        "simulated": "true" if node.simulated else "false",
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return Subject(node.node_id, known, frozenset(node.groups), node.labels)
