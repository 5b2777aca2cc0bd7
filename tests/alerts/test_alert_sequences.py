"""Any sequence of runs: what is told is the truth, once; and silence, order, repetition and clocks do not matter."""

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sparkctl.model.alert import Acknowledgement, AlertEvent, AlertSeverity
from sparkctl.model.alert_book import Place, Problem, RunSeen
from sparkctl.model.alert_engine import acknowledge, advance
from sparkctl.model.alert_rules import AlertRules, Flapping, Hold, HoldRule
from tests.alerts.books import AT_ONCE, FAIL, NOON, WARN, Desk, Receiver, problem, silent

NODES = [f"n{number}" for number in range(6)]
CHECKS = ["disk.space", "gpu.ecc"]
PLACES = (Place("rack a", frozenset(NODES[:3])), Place("site s", frozenset(NODES)))
SKITTISH = AlertRules(holds=(HoldRule("*", Hold(2), Hold(2, 60)),), flapping=Flapping(above=3), roll_up_nodes=2)
STATUSES = st.sampled_from(["pass", "pass", "warn", "fail", "unknown"])
ANSWERS = st.one_of(st.just(None), st.fixed_dictionaries(dict.fromkeys(CHECKS, STATUSES)))
RUNS = st.dictionaries(st.sampled_from(NODES), ANSWERS, max_size=len(NODES))

Answers = Mapping[str, Mapping[str, str] | None]


def seen(run_id: str, at_hours: float, answers: Answers, muted: set[str]) -> RunSeen:
    """What a run saw whose nodes answered so; None did not answer."""
    problems: list[Problem] = []
    cleared: list[Problem] = []
    unseen: list[Problem] = []
    for node, statuses in answers.items():
        (problems if statuses is None else cleared).append(silent(node))
        for check in CHECKS:
            status = "unknown" if statuses is None else statuses[check]
            of_status = {"pass": cleared, "unknown": unseen}.get(status, problems)
            of_status.append(problem(node, check, WARN if status == "warn" else FAIL))
    return RunSeen(
        run_id=run_id,
        at=NOON + timedelta(hours=at_hours),
        problems={one.fingerprint: one for one in problems},
        cleared=[one.fingerprint for one in cleared],
        unseen=[one.fingerprint for one in unseen],
        muted=dict.fromkeys(muted, "patching"),
        places=PLACES,
    )


def backwards(run: RunSeen) -> RunSeen:
    """The same run, seen in another order."""
    return RunSeen(
        run_id=run.run_id,
        at=run.at,
        problems=dict(list(run.problems.items())[::-1]),
        cleared=list(run.cleared)[::-1],
        unseen=list(run.unseen)[::-1],
        muted=run.muted,
        places=run.places[::-1],
    )


class AnyRuns(RuleBasedStateMachine):
    """Runs, mutes, acknowledgements and clocks in any order."""

    how = AT_ONCE

    def __init__(self) -> None:
        super().__init__()
        self.desk, self.receiver = Desk(self.how), Receiver()
        self.muted: set[str] = set()
        self.truth: dict[str, AlertSeverity] = {}
        self.acknowledged: set[str] = set()
        self.hours = 0.0

    @rule(answers=RUNS, hours=st.sampled_from([1.0, 1.0, 1.0, 13.0, 200.0, -500.0]))
    def run(self, answers: Answers, hours: float) -> None:
        self.hours += hours
        self.desk.runs += 1
        run = seen(f"run{self.desk.runs}", self.hours, answers, self.muted)
        for one in run.problems.values():
            self.truth[one.fingerprint] = one.severity
        for name in run.cleared:
            self.truth.pop(name, None)
        after = advance(self.desk.book, run, self.how)
        assert advance(self.desk.book, backwards(run), self.how) == after
        for name, condition in after.conditions.items():
            assert condition.resolved_at is None or name in run.cleared  # silence resolves nothing
        self.desk.enter(after, run.run_id)
        assert advance(self.desk.book, run, self.how).changes == ()
        self.receiver.take(after.told)
        for change in after.changes:
            if change.event in (AlertEvent.GREW, AlertEvent.WORSENED, AlertEvent.RESOLVED):
                self.acknowledged.discard(change.fingerprint)
        for name in self.acknowledged:
            owner = self.desk.book.roll_ups.get(name) or self.desk.book.conditions[name]
            assert owner.acknowledged is not None

    @rule(node=st.sampled_from(NODES))
    def mute_or_not(self, node: str) -> None:
        self.muted ^= {node}

    @rule(data=st.data())
    def acknowledge_one(self, data: st.DataObject) -> None:
        if self.receiver.open:
            name = data.draw(st.sampled_from(sorted(self.receiver.open)))
            words = Acknowledgement(by="ops", at=NOON + timedelta(hours=self.hours))
            after = acknowledge(self.desk.book, [name], words)
            self.desk.enter(after, "")
            self.receiver.take(after.told)
            self.acknowledged.add(name)

    @invariant()
    def nothing_is_open_that_was_not_told(self) -> None:
        book = self.desk.book
        told: dict[str, set[str]] = {name: set() for name, each in book.roll_ups.items() if not each.resolved_at}
        for name, one in book.conditions.items():
            if one.told and not one.resolved_at:
                told.setdefault(one.group or name, set()).add(one.problem.node)
        assert told.keys() == self.receiver.open.keys()
        for name, nodes in told.items():
            assert nodes
            assert nodes <= self.receiver.open[name]

    @invariant()
    def what_was_seen_last_is_what_is_in_the_book(self) -> None:
        present = {name for name, one in self.desk.book.conditions.items() if one.present}
        assert present == self.truth.keys()


class PlainRuns(AnyRuns):
    """Where nothing is held down or flaps, what is told is what was seen last, but for what is muted."""

    @invariant()
    def everything_is_told(self) -> None:
        for name, one in self.desk.book.conditions.items():
            if name in self.truth and one.muted is None and self.desk.runs:
                assert one.told is not None, one
                assert one.told is one.problem.severity


class SkittishRuns(AnyRuns):
    """The same with holds, recoveries and flapping."""

    how = SKITTISH


few = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
TestPlainRuns = PlainRuns.TestCase
TestPlainRuns.settings = few
TestSkittishRuns = SkittishRuns.TestCase
TestSkittishRuns.settings = few
