"""Keeps account of what was replaced where, bounded however much there is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sparkctl.model.printable import printable
from sparkctl.model.redaction import (
    MOST_ARTEFACTS,
    MOST_RANGES,
    ArtefactReplacements,
    RedactionReport,
    RuleReplacements,
    Withheld,
)
from sparkctl.redaction.edits import Edit

Reason = Literal["too_slow", "survivor", "unreadable"]
SHOWN = 300
"""Characters of a path that a report shows."""


@dataclass
class _Place:
    """One rule in one artefact."""

    count: int = 0
    lines: list[list[int]] = field(default_factory=list)
    left_out: bool = False

    def add(self, first: int, last: int) -> None:
        self.count += 1
        if self.lines and first <= self.lines[-1][1] + 1:
            self.lines[-1][1] = max(last, self.lines[-1][1])
        elif len(self.lines) < MOST_RANGES:
            self.lines.append([first, last])
        else:
            self.left_out = True


@dataclass
class _RuleAccount:
    count: int = 0
    places: dict[str, _Place] = field(default_factory=dict)
    left_out: int = 0


@dataclass
class Account:
    """One disclosure."""

    artefacts: int = 0
    bytes_read: int = 0
    withheld: list[Withheld] = field(default_factory=list)
    _rules: dict[str, _RuleAccount] = field(default_factory=dict)

    def begin(self, artefact: str) -> "ArtefactAccount":
        """Count a new artefact under its redacted name."""
        self.artefacts += 1
        return ArtefactAccount(self, printable(artefact, SHOWN))

    def withhold(self, artefact: str, reason: Reason, words: str) -> None:
        """An artefact that is not handed on; its redacted name."""
        self.withheld.append(Withheld(artefact=printable(artefact, SHOWN), reason=reason, words=words))

    def place(self, rule: str, artefact: str) -> _Place:
        """Where to count a replacement of a rule in an artefact."""
        account = self._rules.setdefault(rule, _RuleAccount())
        account.count += 1
        if artefact not in account.places:
            if len(account.places) >= MOST_ARTEFACTS:
                account.left_out += 1
                return _Place()
            account.places[artefact] = _Place()
        return account.places[artefact]

    def report(self, known_left_out: int) -> RedactionReport:
        """Everything so far, rules by name, artefacts in their order."""
        return RedactionReport(
            artefacts=self.artefacts,
            bytes_read=self.bytes_read,
            rules=[_rule(name, self._rules[name]) for name in sorted(self._rules)],
            withheld=self.withheld,
            known_left_out=known_left_out,
        )


def _rule(name: str, account: _RuleAccount) -> RuleReplacements:
    artefacts = [
        ArtefactReplacements(artefact=artefact, count=one.count, lines=one.lines, lines_left_out=one.left_out)
        for artefact, one in account.places.items()
    ]
    return RuleReplacements(rule=name, count=account.count, artefacts=artefacts, artefacts_left_out=account.left_out)


@dataclass
class ArtefactAccount:
    """One artefact while it is read; counts its lines."""

    account: Account
    artefact: str
    line: int = 1

    def add(self, data: bytes, start: int, end: int, edits: Iterable[Edit]) -> None:
        """Bytes `start` to `end` were read, and these edits, in order, made in them."""
        self.account.bytes_read += end - start
        at = start
        for edit in edits:
            self.line += data.count(b"\n", at, edit.start)
            last = self.line + data.count(b"\n", edit.start, edit.end)
            for rule in edit.rules:
                self.account.place(rule, self.artefact).add(self.line, last)
            at, self.line = edit.end, last
        self.line += data.count(b"\n", at, end)
