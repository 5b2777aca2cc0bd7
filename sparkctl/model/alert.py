"""Alerts as they are published: what is wrong now, what changed about it, and a day of it in one document."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count


class AlertKind(StrEnum):
    """What sort of thing is wrong."""

    CHECK = "check"  # a check warned or failed
    UNKNOWN = "unknown"  # a required check could not be evaluated
    UNREPORTED = "unreported"  # a node did not report
    REFUSED = "refused"  # a safety rule kept us from a node
    CHANGED = "changed"  # a field of a facet is otherwise than it was
    BOOT_END = "boot_end"  # a boot ended in a way that nobody is known to have wanted


HAPPENED = frozenset({AlertKind.CHANGED, AlertKind.BOOT_END})
"""What has happened, which no later visit can mend: such an alert is over when somebody has acknowledged it."""


class AlertSeverity(StrEnum):
    """How much it presses; the words are those of checks."""

    WARN = "warn"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """A number that is larger for what presses more."""
        return int(self is AlertSeverity.FAIL)


class AlertState(StrEnum):
    """Where an alert is in its life."""

    NEW = "new"  # seen, and not told yet: held down, or muted
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertEvent(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    GREW = "grew"  # more nodes
    WORSENED = "worsened"  # from warn to fail
    EASED = "eased"  # from fail to warn
    SHRANK = "shrank"  # fewer nodes
    FLAPPING = "flapping"  # it comes and goes; nothing more is told until it is calm
    CALMED = "calmed"  # it came and went, and is there to stay
    ROLLED_UP = "rolled_up"  # it goes on as part of a larger one
    MUTED = "muted"  # seen within a maintenance window
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Acknowledgement(Record):
    """Who has taken note of an alert, when, and their words."""

    by: Word
    at: UtcDatetime
    note: Text | None = None


class Alert(Record):
    """One alert as it stands.

    `nodes` are those on which it is so; of a resolved one, those on which it was. `unseen` are those of them whose last
    visit could not tell: they did not answer, or the check was not evaluated. `subject` is the check, the stage and
    cause of a failure, the field with both its values, how the boot ended, or the place that is silent. `since` is
    when it was first seen, in the run `run_id`. `told` is false where nobody was told of it; `muted` says why nothing
    is told of it now. `rolled_up` is true where several nodes became so together and share this alert.
    """

    alert_schema: Annotated[Literal["sparkctl.alert/1"], Field(alias="schema")] = "sparkctl.alert/1"
    fingerprint: Sha256Hex
    kind: AlertKind
    subject: Text
    severity: AlertSeverity
    state: AlertState
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    unseen: list[NodeId]
    rolled_up: bool
    told: bool
    flapping: bool
    muted: Text | None
    summary: Text
    action: Text | None
    simulated: bool
    run_id: Word
    since: UtcDatetime
    last_seen: UtcDatetime
    resolved_at: UtcDatetime | None
    acknowledged: Acknowledgement | None


class AlertChange(Record):
    """One thing that happened to an alert: what a person is told of, or what was only noted (`told` is false).

    `nodes` are those that it happened on, which may be some of the alert's. `run_id` is the run that brought it, null
    where a person did it, `by` name. `into` is the alert that this one goes on in.
    """

    change_schema: Annotated[Literal["sparkctl.alert-change/1"], Field(alias="schema")] = "sparkctl.alert-change/1"
    fingerprint: Sha256Hex
    event: AlertEvent
    state: AlertState
    previous: AlertState | None
    kind: AlertKind
    subject: Text
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    severity: AlertSeverity
    summary: Text
    action: Text | None
    run_id: Word | None
    at: UtcDatetime
    simulated: bool
    told: bool
    by: Word | None = None
    note: Text | None = None
    into: Sha256Hex | None = None


@dataclass(frozen=True, slots=True)
class AlertNews:
    """What a run brought: changes to be told, and what went wrong with alerts, in words."""

    changes: list[AlertChange]
    troubles: list[str]

    @property
    def words(self) -> str:
        """The changes in one line; empty where there are none."""
        counted = Counter(change.event for change in self.changes)
        told = [
            (counted[AlertEvent.OPENED], "new alert", "new alerts"),
            (counted[AlertEvent.GREW], "grew", "grew"),
            (counted[AlertEvent.WORSENED], "worse", "worse"),
            (counted[AlertEvent.FLAPPING], "flapping", "flapping"),
            (counted[AlertEvent.CALMED], "calm again", "calm again"),
            (counted[AlertEvent.RESOLVED], "resolved", "resolved"),
        ]
        return ", ".join(f"{number:,} {one if number == 1 else several}" for number, one, several in told if number)


class AlertHistory(Record):
    """An alert with all that happened to it, oldest first."""

    history_schema: Annotated[Literal["sparkctl.alert-history/1"], Field(alias="schema")] = "sparkctl.alert-history/1"
    alert: Alert
    changes: list[AlertChange]


class DigestRun(Record):
    """Runs of one kind in the time of a digest: how many, how many nodes they asked, and how many of these reported."""

    kind: Word
    runs: Count
    interrupted: Count
    asked: Count
    reported: Count


class AlertDigest(Record):
    """What became of alerts from `since` to `until`.

    `new` are those that were told of in that time, `open` the others that are open or acknowledged, `resolved` those
    that ended in it. `flapping`, `muted` and `not_seen` pick from those that are not resolved; an alert that is muted
    and was never told of stands only there. `unvisited` are nodes of the inventory that no run asked in that time.
    """

    digest_schema: Annotated[Literal["sparkctl.alert-digest/1"], Field(alias="schema")] = "sparkctl.alert-digest/1"
    since: UtcDatetime
    until: UtcDatetime
    simulated: bool
    runs: list[DigestRun]
    nodes: Count
    unvisited: list[NodeId]
    new: list[Alert]
    open: list[Alert]
    resolved: list[Alert]
    flapping: list[Alert]
    muted: list[Alert]
    not_seen: list[Alert]


class Mute(Record):
    """A time in which nothing is told of some nodes; what is seen on them is recorded all the same.

    `nodes` are those that the selector named when it was made. `number` is null for a window of the rules file.
    """

    mute_schema: Annotated[Literal["sparkctl.alert-mute/1"], Field(alias="schema")] = "sparkctl.alert-mute/1"
    number: Count | None
    selector: Text
    nodes: list[NodeId]
    begins: UtcDatetime
    ends: UtcDatetime
    reason: Text
    by: Word | None
