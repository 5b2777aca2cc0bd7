"""What alerting remembers: a condition for each thing that is wrong with a node, and roll-ups of those that are alike.

A condition without a roll-up is an alert of its own; those of a roll-up are told, acknowledged and resolved with it.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sparkctl.model.alert import Acknowledgement, AlertChange, AlertKind, AlertSeverity, AlertState


def fingerprint_of(*parts: str) -> str:
    """The name of a condition or a roll-up: the same for the same parts, for ever."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a node, as one run saw it.

    `scope` is what it is about: a check, a field, the kind of run that failed, a boot. `before` and `after` are
    digests of the values of a changed field. `summary` are the words of the node `words_of`, where many were alike.
    """

    fingerprint: str
    kind: AlertKind
    subject: str
    scope: str
    node: str
    severity: AlertSeverity
    summary: str
    action: str | None
    simulated: bool
    words_of: str
    before: str = ""
    after: str = ""

    def told(self, *, alone: bool = True) -> str:
        """The words, and whose they are where that is not plain."""
        return self.summary if alone and self.words_of == self.node else f"{self.summary} (on {self.words_of})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A problem over time.

    It was first seen at `since` in the run `run_id`, and in `visits` visits until it was told. `told` is the severity
    that was told, None while none was; `clears` counts visits in a row that found it gone since `clear_since`. `unseen`
    means that the last visit could not tell. `flaps` is the score of changes at `flaps_at`.
    """

    problem: Problem
    run_id: str
    since: datetime
    last_seen: datetime
    visits: int = 1
    told: AlertSeverity | None = None
    told_at: datetime | None = None
    clears: int = 0
    clear_since: datetime | None = None
    unseen: bool = False
    flaps: float = 0.0
    flaps_at: datetime
    flapping: bool = False
    acknowledged: Acknowledgement | None = None
    group: str | None = None
    muted: str | None = None
    resolved_at: datetime | None = None

    @property
    def present(self) -> bool:
        """Whether it was so when that was last seen."""
        return self.resolved_at is None and not self.clears

    @property
    def state(self) -> AlertState:
        """Its state, as far as it is an alert of its own."""
        if self.resolved_at is not None:
            return AlertState.RESOLVED
        if self.told is None:
            return AlertState.NEW
        return AlertState.ACKNOWLEDGED if self.acknowledged else AlertState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """Conditions that became so in the same way, or in one place together: `nodes` are all that ever were in it."""

    fingerprint: str
    example: Problem
    subject: str
    summary: str
    severity: AlertSeverity
    simulated: bool
    of_place: bool
    nodes: tuple[str, ...]
    run_id: str
    since: datetime
    grown_at: datetime
    acknowledged: Acknowledgement | None = None
    resolved_at: datetime | None = None

    @property
    def state(self) -> AlertState:
        """Its state."""
        if self.resolved_at is not None:
            return AlertState.RESOLVED
        return AlertState.ACKNOWLEDGED if self.acknowledged else AlertState.OPEN


@dataclass(frozen=True, slots=True)
class Place:
    """Nodes that stand together, and what that place is called: `rack a1`."""

    words: str
    nodes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """What one run saw, by fingerprint: what is wrong, which known conditions are gone, and of which it cannot tell.

    Conditions in none of them were not asked about. `muted` gives the reason by node, whoever was asked.
    """

    run_id: str
    at: datetime
    problems: Mapping[str, Problem] = field(default_factory=dict)
    cleared: Collection[str] = frozenset()
    unseen: Collection[str] = frozenset()
    muted: Mapping[str, str] = field(default_factory=dict)
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """All that is not resolved, and of what is, the conditions that a run has seen again; and which runs are in it."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    roll_ups: Mapping[str, RollUp] = field(default_factory=dict)
    applied: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Advance:
    """What is otherwise in the book. `seen_again` are conditions of which only that is new, at `at`."""

    at: datetime
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    roll_ups: Mapping[str, RollUp] = field(default_factory=dict)
    changes: tuple[AlertChange, ...] = ()
    seen_again: Collection[str] = frozenset()

    @property
    def told(self) -> list[AlertChange]:
        """What somebody is to be told."""
        return [change for change in self.changes if change.told]
