"""Stores that remember runs, written directly, and alerts brought up to date from them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.app.alert_desk import Desk
from sparkctl.app.alerting import update_alerts
from sparkctl.app.places import Places
from sparkctl.app.run import RunTally
from sparkctl.app.sink_file import plan_at
from sparkctl.app.telling import Telling
from sparkctl.inventory.load import load_fleet
from sparkctl.model.alert import AlertNews
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.collection import CollectTally
from sparkctl.report.reset import ResetTally
from sparkctl.report.tally import Tally
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.alerts.books import NOON
from tests.support.envelopes import PROGRAM, finding, reported, unreported
from tests.support.facts import facts_record

Answer = Mapping[str, str] | tuple[Stage, Cause]
SILENT = (Stage.CONNECT, Cause.TIMEOUT)
TALLIES: dict[RunKind, Callable[[], RunTally]] = {
    RunKind.HEALTH: Tally,
    RunKind.COLLECT: lambda: CollectTally(("drivers",)),
    RunKind.RESET: lambda: ResetTally("boot=0", {}, {}, []),
}


class Shelf:
    """A state folder and an inventory beside it; `hours` after noon is when runs are."""

    def __init__(self, folder: Path, nodes: str, **rules: str) -> None:
        self.folder = folder
        (folder / "fleet.yaml").write_text(f"nodes:\n  {nodes}: {{rack: a1}}\n")
        self.state = folder / "state"
        self.runs = 0
        self.desk = Desk(Places(folder / "fleet.yaml", self.state, {}), None)

    def rules(self, text: str) -> None:
        (self.folder / "alerts.yaml").write_text(text)

    def health(self, hours: float = 0, **answers: Answer) -> str:
        """A sweep: statuses by check (with `_` for the dot), or stage and cause, by node."""
        return self.sweep(hours, answers)

    def sweep(self, hours: float, answers: Mapping[str, Answer]) -> str:
        """The same for many nodes."""
        return self.store(RunKind.HEALTH, hours, [_health(node, answer) for node, answer in answers.items()])

    def collect(self, hours: float, facets: Mapping[str, Mapping[str, Any]]) -> str:
        """A collection: facets by node."""
        at = NOON + timedelta(hours=hours)
        return self.store(
            RunKind.COLLECT, hours, [facts_record("x", node, at, **each) for node, each in facets.items()]
        )

    def store(
        self, kind: RunKind, hours: float, records: list[RunRecord], *, ends: bool = True, resumes: str | None = None
    ) -> str:
        """A run of these records; one that does not end was killed."""
        self.runs += 1
        run_id, at = f"run{self.runs}", NOON + timedelta(hours=hours)
        tally = TALLIES[kind]()
        with SweepLock(self.state, ["test"]) as lock, Store.open(self.state) as store:
            start = RunStart(
                run_id=run_id, tool="sparkctl test", started_at=at, selector="all", program_sha256=PROGRAM,
                selected=len(records) + (len(list(store.records(resumes))) if resumes else 0), resumes=resumes,
            )  # fmt: skip
            store.begin_run(lock, start, kind)
            outcomes = [NodeOutcome.of(one.model_copy(update={"run_id": run_id, "ts": at})) for one in records]
            store.add(outcomes)
            for earlier in store.reported(resumes) if resumes else ():
                tally.add(NodeOutcome.of(earlier))
            for outcome in outcomes:
                tally.add(outcome)
            if ends:
                cost = BastionCost(cpu_s=0.1, peak_rss_bytes=1)
                store.finish_run(tally.report(start, RunEnd(finished_at=at, duration_ms=100, cost=cost)))
        return run_id

    def update(self) -> AlertNews:
        """Bring the alerts up to date, as the end of a run does."""
        with Store.open(self.state) as store:
            file = self.folder / "fleet.yaml"
            fleet = load_fleet(file)
            return update_alerts(store, fleet, file, {}, Telling(plan_at(self.desk.places), fleet))

    def told(self) -> list[tuple[str, list[str], str]]:
        """What is told by bringing the alerts up to date: event, nodes, subject; nothing went wrong with it."""
        news = self.update()
        assert news.troubles == []
        return [(change.event.value, list(change.nodes), change.subject) for change in news.changes]


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def _health(node: str, answer: Answer) -> RunRecord:
    if isinstance(answer, tuple):
        return unreported(node, *answer)
    return reported(node, *(finding(check.replace("_", ".", 1), status) for check, status in answer.items()))
