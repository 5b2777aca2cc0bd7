"""What goes in comes out: records, histories, changes, runs."""

import hashlib
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from sparkctl.errors import StoreError
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause, Origin, Outcome, Stage, Status
from sparkctl.store import RunState, Store, SweepLock
from sparkctl.store.schema import metadata
from tests.store.children import ENVIRONMENT
from tests.store.samples import begin, records, report, reported, unreported


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_record_comes_back_as_it_was(running: Store, data: st.DataObject) -> None:
    # One store for all examples: each adds the next node.
    node_id = f"spark{sum(1 for _ in running.records('r1'))}"
    record = data.draw(records("r1", node_id))
    running.add([NodeOutcome.of(record)])
    assert running.newest(node_id) == record
    assert list(running.records("r1"))[-1] == record


def test_the_digest_in_the_store_is_that_of_the_printed_line(running: Store) -> None:
    outcome = NodeOutcome.of(reported("r1", "spark01"))
    running.add([outcome])
    raw = sqlite3.connect(running.folder / "state.db")
    (kept,) = raw.execute("SELECT sha256 FROM visits JOIN documents ON documents.id = record").fetchone()
    raw.close()
    assert kept == hashlib.sha256(outcome.record.encode()).hexdigest()


def test_outcomes_are_stored_together_or_not_at_all(running: Store) -> None:
    running.add([NodeOutcome.of(reported("r1", "spark01"))])
    batch = [NodeOutcome.of(reported("r1", node_id)) for node_id in ("spark02", "spark01", "spark03")]
    with pytest.raises(ValueError, match="already has a record of spark02, spark01, spark03, or of one of them"):
        running.add(batch)
    assert [record.node_id for record in running.records("r1")] == ["spark01"]


def test_nodes_that_are_alike_share_one_verdict(running: Store, lock: SweepLock) -> None:
    running.add([NodeOutcome.of(reported("r1", f"spark{n}")) for n in range(5)])
    begin(running, lock, "r2")
    running.add([NodeOutcome.of(reported("r2", f"spark{n}", {"disk.space": Status.WARN})) for n in range(5)])
    begin(running, lock, "r3")
    running.add([NodeOutcome.of(reported("r3", f"spark{n}")) for n in range(5)])
    raw = sqlite3.connect(running.folder / "state.db")
    verdicts = raw.execute("SELECT count(DISTINCT vector) FROM visits").fetchone()
    raw.close()
    assert verdicts == (2,)
    assert [len(running.changes(f"spark{n}")) for n in range(5)] == [2] * 5


def test_a_check_that_is_new_or_gone_is_no_change(running: Store, lock: SweepLock) -> None:
    course = ({"disk.space": Status.PASS}, {"gpu.query": Status.FAIL}, {"disk.space": Status.WARN})
    for number, statuses in enumerate(course, 2):
        begin(running, lock, f"r{number}")
        running.add([NodeOutcome.of(reported(f"r{number}", "spark01", statuses))])
    assert running.changes("spark01") == []


def test_records_come_by_the_order_in_which_their_nodes_were_first_seen(running: Store) -> None:
    # More than one page, and names and times that would sort otherwise.
    added = [reported("r1", f"spark{150 - n}", after=-timedelta(seconds=n)) for n in range(150)]
    for record in added:
        running.add([NodeOutcome.of(record)])
    assert list(running.records("r1")) == added
    assert list(running.records("r2")) == []


def test_newest_is_what_was_stored_last_even_when_the_clock_went_back(running: Store, lock: SweepLock) -> None:
    running.add([NodeOutcome.of(reported("r1", "spark01"))])
    running.finish_run(report("r1"))
    begin(running, lock, "r2")
    later = unreported("r2", "spark01", after=-timedelta(days=400))
    running.add([NodeOutcome.of(later)])
    assert running.newest("spark01") == later
    assert running.newest("spark02") is None


def test_a_history_tells_how_each_visit_ended(running: Store, lock: SweepLock) -> None:
    checks = {"disk.space": Status.FAIL, "gpu.query": Status.WARN, "time.sync": Status.PASS}
    running.add([NodeOutcome.of(reported("r1", "spark01", checks))])
    running.add([NodeOutcome.of(reported("r1", "spark02"))])
    begin(running, lock, "r2")
    running.add([NodeOutcome.of(unreported("r2", "spark01", after=timedelta(hours=1)))])
    newest, oldest = running.history("spark01", 10)
    assert (newest.outcome, newest.stage, newest.cause) == (
        Outcome.UNREPORTED,
        Stage.CONNECT,
        Cause.CONNECTION_REFUSED,
    )
    assert (newest.worst, newest.origin, newest.failed) == (None, None, ())
    assert (oldest.outcome, oldest.worst, oldest.completeness) == (Outcome.REPORTED, Status.FAIL, 1.0)
    assert (oldest.failed, oldest.warned, oldest.origin) == (("disk.space",), ("gpu.query",), Origin.SIMULATED)
    assert newest.ts - oldest.ts == timedelta(hours=1)
    assert running.history("spark01", 1) == [newest]
    assert running.history("spark99", 10) == []


def test_changes_are_told_once_each_and_survive_a_silent_visit(running: Store, lock: SweepLock) -> None:
    course = [
        {"disk.space": Status.PASS, "gpu.query": Status.PASS},
        {"disk.space": Status.FAIL, "gpu.query": Status.PASS},
        None,
        {"disk.space": Status.FAIL, "gpu.query": Status.UNKNOWN},
        {"disk.space": Status.PASS, "gpu.query": Status.UNKNOWN},
    ]
    for number, statuses in enumerate(course, 2):
        begin(running, lock, f"r{number}")
        hours = timedelta(hours=number)
        running.add(
            [
                NodeOutcome.of(
                    reported(f"r{number}", "spark01", statuses, after=hours)
                    if statuses
                    else unreported(f"r{number}", "spark01", after=hours)
                )
            ]
        )
        running.add([NodeOutcome.of(reported(f"r{number}", "spark02", {"disk.space": Status.PASS}))])
    told = [(c.check, c.previous, c.current, c.reason, c.run_id) for c in running.changes("spark01")]
    assert told == [
        ("disk.space", "pass", "fail", None, "r3"),
        ("gpu.query", "pass", "unknown", "timeout", "r5"),
        ("disk.space", "fail", "pass", None, "r6"),
    ]
    assert running.changes("spark01")[0].summary == "disk.space is fail"
    assert running.changes("spark02") == []


def test_runs_are_listed_with_their_reports(running: Store, lock: SweepLock) -> None:
    running.add([NodeOutcome.of(reported("r1", "spark01"))])
    running.finish_run(report("r1"))
    begin(running, lock, "r2")
    running.finish_run(report("r2", interrupted=True))
    begin(running, lock, "r3")
    third, second, first = running.runs(10)
    assert (first.state, first.recorded, first.selected, first.report) == (RunState.FINISHED, 1, 2, report("r1"))
    assert (second.state, second.report) == (RunState.INTERRUPTED, report("r2", interrupted=True))
    assert (third.state, third.finished_at, third.report) == (RunState.RUNNING, None, None)
    assert [run.run_id for run in running.runs(2)] == ["r3", "r2"]


def test_a_second_record_of_a_node_in_one_run_is_refused_and_changes_nothing(running: Store) -> None:
    running.add([NodeOutcome.of(reported("r1", "spark01"))])
    with pytest.raises(ValueError, match="already has a record of spark01"):
        running.add([NodeOutcome.of(unreported("r1", "spark01"))])
    assert list(running.records("r1")) == [reported("r1", "spark01")]


def test_a_closed_or_unknown_run_takes_no_records(running: Store) -> None:
    running.finish_run(report("r1"))
    for run_id in ("r1", "r9"):
        with pytest.raises(ValueError, match=f"{run_id} is not a running run"):
            running.add([NodeOutcome.of(reported(run_id, "spark01"))])
        with pytest.raises(ValueError, match=f"{run_id} is not a running run"):
            running.finish_run(report(run_id))


def test_a_run_needs_the_lock_of_its_folder(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs the lock"):
        begin(store, SweepLock(store.folder, ["x"]), "r1")
    with SweepLock(tmp_path / "elsewhere", ["x"]) as other, pytest.raises(ValueError, match="needs the lock"):
        begin(store, other, "r1")


@pytest.mark.parametrize("damage", ["x'00'", "x'789c4b04000062'", "substr(content, 1, length(content) - 9)"])
def test_a_document_that_was_changed_is_not_handed_out(running: Store, damage: str) -> None:
    running.add([NodeOutcome.of(reported("r1", "spark01"))])
    raw = sqlite3.connect(running.folder / "state.db")
    raw.execute(f"UPDATE documents SET content = {damage}")
    raw.commit()
    raw.close()
    with pytest.raises(StoreError, match=r"cannot be unpacked|does not match its digest"):
        running.newest("spark01")


def test_the_tables_are_those_of_postgresql_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = "".join(str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables)
    assert "id BIGSERIAL" in made
    assert "started_at TIMESTAMP WITH TIME ZONE" in made


@pytest.mark.parametrize("module", ["sparkctl.store", "sparkctl.app.health", "sparkctl.app.report"])
def test_sqlalchemy_is_not_loaded_before_a_store_is_opened(module: str) -> None:
    program = f"import sys, {module}; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, check=False).returncode == 0
