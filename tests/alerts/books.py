"""Problems and runs for the engine of alerting, and a receiver that notes what it is told and objects to nonsense."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sparkctl.model.alert import AlertChange, AlertEvent, AlertKind, AlertSeverity
from sparkctl.model.alert_book import Advance, Book, Place, Problem, RunSeen, fingerprint_of
from sparkctl.model.alert_engine import advance
from sparkctl.model.alert_rules import AlertRules, Flapping, Hold, HoldRule

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FAIL, WARN = AlertSeverity.FAIL, AlertSeverity.WARN
AT_ONCE = AlertRules(holds=(HoldRule("*"), HoldRule("warn"), HoldRule("unreported")), flapping=Flapping(above=1e9))
"""Nothing is held down, and nothing ever flaps."""
TWICE = AlertRules(holds=(HoldRule("*", Hold(2), Hold(2)),), flapping=Flapping(above=1e9))


def problem(
    node: str, scope: str = "disk.space", severity: AlertSeverity = FAIL, kind: AlertKind = AlertKind.CHECK
) -> Problem:
    """Something wrong with a node."""
    return Problem(
        fingerprint=fingerprint_of(kind.value, scope, node), kind=kind, subject=scope, scope=scope, node=node,
        severity=severity, summary=f"{scope} is {severity} on {node}", action="look at it", simulated=False,
        words_of=node,
    )  # fmt: skip


def silent(node: str) -> Problem:
    """A node that did not answer."""
    return problem(node, "connect.timeout", FAIL, AlertKind.UNREPORTED)


@dataclass
class Desk:
    """A book that runs are entered into, with all that was told so far."""

    rules: AlertRules = AT_ONCE
    book: Book = field(default_factory=Book)
    told: list[AlertChange] = field(default_factory=list)
    noted: list[AlertChange] = field(default_factory=list)
    runs: int = 0

    def run(
        self,
        problems: Iterable[Problem] = (),
        cleared: Iterable[Problem] = (),
        unseen: Iterable[Problem] = (),
        *,
        hours: float = 0,
        muted: Mapping[str, str] | None = None,
        places: Collection[Place] = (),
    ) -> list[AlertChange]:
        """Enter a run, `hours` after noon; what was told of it."""
        self.runs += 1
        seen = RunSeen(
            run_id=f"run{self.runs}",
            at=NOON + timedelta(hours=hours),
            problems={one.fingerprint: one for one in problems},
            cleared=[one.fingerprint for one in cleared],
            unseen=[one.fingerprint for one in unseen],
            muted=muted or {},
            places=tuple(places),
        )
        after = advance(self.book, seen, self.rules)
        self.enter(after, seen.run_id)
        return after.told

    def enter(self, after: Advance, run_id: str) -> None:
        """Keep what is otherwise now."""
        self.book = Book(
            {**self.book.conditions, **after.conditions},
            {**self.book.roll_ups, **after.roll_ups},
            {*self.book.applied, run_id},
        )
        self.told += after.told
        self.noted += after.changes


@dataclass
class Receiver:
    """What somebody knows who is only told: the nodes of each open alert. It objects to what cannot be."""

    open: dict[str, set[str]] = field(default_factory=dict)

    def take(self, changes: Iterable[AlertChange]) -> None:
        for change in changes:
            self._take(change, set(change.nodes))
        # An alert goes on in another: that one is known when all of the run is told.
        for change in changes:
            assert change.into is None or change.nodes[0] in self.open[change.into]

    def _take(self, change: AlertChange, nodes: set[str]) -> None:
        known = self.open.get(change.fingerprint)
        if change.previous == "new":
            assert known is None, f"{change.subject} was told twice"
            self.open[change.fingerprint] = nodes
        elif change.event is AlertEvent.GREW:
            assert known is not None
            known |= nodes
        elif change.event in (AlertEvent.RESOLVED, AlertEvent.ROLLED_UP) or change.state == "resolved":
            assert known is not None, f"{change.subject} was never told"
            del self.open[change.fingerprint]
        else:
            assert known is not None
            assert nodes <= known
