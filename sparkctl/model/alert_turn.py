"""The book while one run is entered into it: what it is now, what has changed, and what is to be told."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sparkctl.model.alert import Acknowledgement, AlertChange, AlertEvent, AlertSeverity, AlertState
from sparkctl.model.alert_book import Advance, Book, Condition, RollUp
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.printable import clip


class Turn:
    """A working copy of the book, for one moment and one run (None: a person does it)."""

    def __init__(self, book: Book, rules: AlertRules, at: datetime, run_id: str | None) -> None:
        self.rules, self.at, self.run_id = rules, at, run_id
        self.conditions = dict(book.conditions)
        self.roll_ups = dict(book.roll_ups)
        self._before = book
        self._changes: list[AlertChange] = []
        self.seen_again: set[str] = set()

    def put(self, condition: Condition) -> None:
        """A condition as it is now."""
        self.conditions[condition.problem.fingerprint] = condition

    def put_roll_up(self, roll_up: RollUp) -> None:
        """A roll-up as it is now."""
        self.roll_ups[roll_up.fingerprint] = roll_up

    def unresolved(self) -> Iterator[Condition]:
        """Conditions that are not resolved, in no order."""
        return (one for one in list(self.conditions.values()) if one.resolved_at is None)

    def members(self) -> dict[str, list[Condition]]:
        """The conditions of each roll-up that are not resolved, by its fingerprint."""
        found: dict[str, list[Condition]] = {}
        for one in self.unresolved():
            if one.group is not None:
                found.setdefault(one.group, []).append(one)
        return found

    def note(self, condition: Condition, event: AlertEvent, previous: AlertState | None, **how: Any) -> None:
        """Something happened to an alert of one condition."""
        problem = condition.problem
        self._note(
            event, previous,
            fingerprint=problem.fingerprint, state=condition.state, kind=problem.kind, subject=problem.subject,
            nodes=[problem.node], severity=problem.severity, summary=clip(problem.told()), action=problem.action,
            simulated=problem.simulated, **how,
        )  # fmt: skip

    def note_roll_up(
        self, roll_up: RollUp, event: AlertEvent, previous: AlertState | None, nodes: Iterable[str], **how: Any
    ) -> None:
        """Something happened to a roll-up, on some of its nodes."""
        self._note(
            event, previous,
            fingerprint=roll_up.fingerprint, state=roll_up.state, kind=roll_up.example.kind, subject=roll_up.subject,
            nodes=sorted(nodes), severity=roll_up.severity, summary=roll_up.summary, action=roll_up.example.action,
            simulated=roll_up.simulated, **how,
        )  # fmt: skip

    def _note(self, event: AlertEvent, previous: AlertState | None, *, told: bool = True, **fields: Any) -> None:
        self._changes.append(
            AlertChange(event=event, previous=previous, told=told, run_id=self.run_id, at=self.at, **fields)
        )

    def advance(self) -> Advance:
        """What is otherwise now than in the book."""
        before = self._before
        return Advance(
            at=self.at,
            conditions={name: one for name, one in self.conditions.items() if before.conditions.get(name) is not one},
            roll_ups={name: one for name, one in self.roll_ups.items() if before.roll_ups.get(name) is not one},
            changes=tuple(
                sorted(self._changes, key=lambda one: (one.kind, one.subject, one.nodes[0], one.fingerprint))
            ),
            seen_again=frozenset(self.seen_again),
        )

    def acknowledge(self, fingerprint: str, words: Acknowledgement, *, over: bool) -> None:
        """Somebody has taken note of an alert; with `over` that is the end of it."""
        resolved_at = self.at if over else None
        how: dict[str, Any] = {"by": words.by, "note": words.note}
        if roll_up := self.roll_ups.get(fingerprint):
            previous = roll_up.state
            members = self.members().get(fingerprint, [])
            after = replace(roll_up, acknowledged=words, resolved_at=resolved_at)
            self.put_roll_up(after)
            for one in members if over else ():
                self.put(replace(one, resolved_at=resolved_at))
            self.note_roll_up(after, AlertEvent.ACKNOWLEDGED, previous, [one.problem.node for one in members], **how)
        else:
            condition = self.conditions[fingerprint]
            after_that = replace(condition, acknowledged=words, resolved_at=resolved_at)
            self.put(after_that)
            self.note(after_that, AlertEvent.ACKNOWLEDGED, condition.state, **how)


def worst(severities: Iterable[AlertSeverity]) -> AlertSeverity:
    """The one that presses most."""
    return max(severities, key=lambda one: one.rank)
