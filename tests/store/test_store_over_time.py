"""How things went: changes of late, records of many nodes over time, and who a run still waits for."""

from datetime import timedelta

import pytest

from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Status
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from sparkctl.store.over_time import MOST_RUNS
from tests.store.samples import DIGEST, NOON, report, reported

HOUR = timedelta(hours=1)


def sweep(store: Store, lock: SweepLock, number: int, *records: RunRecord, ended: bool = True) -> None:
    """Run `rN` begins N hours after noon."""
    start = RunStart(run_id=f"r{number}", tool="t", started_at=NOON + number * HOUR, selector="all",
                     program_sha256=DIGEST, selected=2)  # fmt: skip
    store.begin_run(lock, start)
    store.add([NodeOutcome.of(record) for record in records])
    if ended:
        store.finish_run(report(f"r{number}"))


def of(number: int, node: str, status: Status = Status.PASS) -> RunRecord:
    return reported(f"r{number}", node, {"disk.space": status}, after=number * HOUR)


def test_changes_since_a_moment_come_newest_first(store: Store, lock: SweepLock) -> None:
    for number, status in enumerate((Status.PASS, Status.FAIL, Status.PASS)):
        sweep(store, lock, number, of(number, "spark01", status), of(number, "spark02"))
    found = list(store.late_changes(["spark01", "spark02"], NOON + HOUR))
    assert [(node, one.current, one.run_id) for node, one in found] == [
        ("spark01", Status.PASS, "r2"), ("spark01", Status.FAIL, "r1"),
    ]  # fmt: skip
    assert list(store.late_changes(["spark02"], NOON)) == []
    assert len(list(store.late_changes(["spark01"], NOON + 2 * HOUR))) == 1


def test_of_runs_around_a_moment_the_newest_visit_of_each_node_counts(store: Store, lock: SweepLock) -> None:
    sweep(store, lock, 0, of(0, "spark01"), of(0, "spark02"))
    sweep(store, lock, 1, of(1, "spark01"))
    runs = store.runs_with_records(RunKind.HEALTH, NOON)
    assert [(at, records) for _, at, records in runs] == [(NOON, 2), (NOON + HOUR, 1)]
    assert store.runs_with_records(RunKind.RESET, NOON) == []
    numbers = [number for number, _, _ in runs]
    visits = dict(store.visits_of_runs(["spark01", "spark02", "spark03"], numbers))
    assert {node: visit.run_id for node, visit in visits.items()} == {"spark01": "r1", "spark02": "r0"}
    texts = dict(store.record_texts([visit.record for visit in visits.values()]))
    assert {RunRecord.model_validate_json(text).node_id for text in texts.values()} == {"spark01", "spark02"}


def test_no_more_runs_are_read_than_help(store: Store, lock: SweepLock) -> None:
    for number in range(MOST_RUNS + 1):
        sweep(store, lock, number, of(number, "spark02" if number else "spark01"))
    numbers = [number for number, _, _ in store.runs_with_records(RunKind.HEALTH, NOON)]
    assert set(dict(store.visits_of_runs(["spark01", "spark02"], numbers))) == {"spark02"}


def test_records_that_were_let_go_of_are_not_there(store: Store, lock: SweepLock) -> None:
    for number in range(3):
        sweep(store, lock, number, of(number, "spark01"))
    assert [record.run_id for record in store.last_records("spark01", RunKind.HEALTH, 2)] == ["r2", "r1"]
    store.prune(lock, NOON + 9 * HOUR)
    assert [record.run_id for record in store.last_records("spark01", RunKind.HEALTH, 9)] == ["r2"]
    assert [records for _, _, records in store.runs_with_records(RunKind.HEALTH, NOON)] == [1]


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_goes_on_until_it_has_a_report(store: Store, lock: SweepLock, ended: bool) -> None:
    sweep(store, lock, 0, of(0, "spark01"), ended=ended)
    assert [run.run_id for run in store.running()] == ([] if ended else ["r0"])
    assert store.recorded_nodes("r0") == {"spark01"}
    assert store.recorded_nodes("r9") == set()
