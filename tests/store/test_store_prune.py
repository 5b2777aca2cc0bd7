"""Old records go, what they said of status stays, and every node keeps its last one."""

import sqlite3
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.events import of_outcome
from sparkctl.model.event import Addressed
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Status
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from sparkctl.store.outbox_entries import DELIVERED, Settled
from sparkctl.store.pruning import BOOTS_KEPT
from tests.store.samples import NOON, reported
from tests.support.command import sparkctl
from tests.support.facts import facet, facts_record

COURSE = [Status.PASS, Status.FAIL, Status.PASS, Status.WARN]


def filled(store: Store, lock: SweepLock) -> None:
    """Four days of spark01; spark02 was only there on the first two."""
    for day, status in enumerate(COURSE):
        run_id, at = f"day{day}", timedelta(days=day)
        store.begin_run(
            lock,
            RunStart(
                run_id=run_id, tool="t", started_at=NOON + at, selector="all", program_sha256="5" * 64, selected=2
            ),
        )
        nodes = ["spark01", "spark02"] if day < 2 else ["spark01"]
        store.add([NodeOutcome.of(reported(run_id, node, {"disk.space": status}, after=at)) for node in nodes])


def test_only_old_records_go_and_every_node_keeps_its_last(store: Store, lock: SweepLock) -> None:
    filled(store, lock)
    before = store.history("spark01", 10), store.changes("spark01"), store.history("spark02", 10)
    gone = store.prune(lock, NOON + timedelta(days=2.5))
    assert (gone.records, gone.runs) == (4, 3)
    assert gone.content_bytes > 0
    assert (store.history("spark01", 10), store.changes("spark01"), store.history("spark02", 10)) == before
    assert [len(list(store.records(f"day{day}"))) for day in range(4)] == [0, 1, 0, 1]
    last = store.newest("spark02")
    assert last is not None
    assert last.run_id == "day1"
    assert store.prune(lock, NOON + timedelta(days=2.5)).records == 0


def test_a_collection_does_not_count_as_a_sweep(store: Store, lock: SweepLock) -> None:
    filled(store, lock)
    store.begin_run(
        lock,
        RunStart(
            run_id="facts",
            tool="t",
            started_at=NOON + timedelta(days=8),
            selector="all",
            program_sha256="5" * 64,
            selected=1,
        ),
        RunKind.COLLECT,
    )
    store.add([NodeOutcome.of(facts_record("facts", "spark01", NOON + timedelta(days=8), network=facet({})))])
    store.prune(lock, NOON + timedelta(days=7))
    last = store.newest("spark01", RunKind.HEALTH)
    assert last is not None
    assert last.run_id == "day3"


def test_a_record_that_is_still_to_be_told_stays_until_it_was(store: Store, lock: SweepLock) -> None:
    filled(store, lock)
    told = of_outcome(NodeOutcome.of(next(iter(store.records("day0")))))
    store.outbox.put([Addressed(told, ("s",), NOON)], {})
    assert store.prune(lock, NOON + timedelta(days=2.5)).records == 3
    assert store.outbox.event(told.event_id) == told
    lease = store.outbox.take("s", 1, NOON, NOON)
    store.outbox.settle(lease, [Settled(lease.taken[0].number, DELIVERED, 0, NOON, None)], {}, NOON)
    store.outbox.forget_settled("s", NOON + timedelta(days=1), NOON)
    assert store.outbox.event(told.event_id) is None
    assert store.prune(lock, NOON + timedelta(days=2.5)).records == 1


def test_nothing_is_left_that_nothing_refers_to(store: Store, lock: SweepLock) -> None:
    filled(store, lock)
    store.prune(lock, NOON + timedelta(days=9))
    raw = sqlite3.connect(store.folder / "state.db")
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    unused = raw.execute(
        "SELECT count(*) FROM documents WHERE id NOT IN (SELECT vector FROM visits) AND id NOT IN"
        " (SELECT record FROM visits WHERE record IS NOT NULL) AND id NOT IN (SELECT document FROM standings)"
        " AND id NOT IN (SELECT document FROM spans)"
    ).fetchone()
    raw.close()
    assert unused == (0,)


def booted(store: Store, lock: SweepLock, node: str, days: int) -> list[str]:
    """A node that starts anew every day; the boots in which it answered, oldest first."""
    boots = [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{day}.{node}")) for day in range(days)]
    for day, boot in enumerate(boots):
        run_id, at = f"{node}-{day}", NOON + timedelta(days=day)
        store.begin_run(
            lock, RunStart(run_id=run_id, tool="t", started_at=at, selector="all", program_sha256="5" * 64, selected=1)
        )
        record = reported(run_id, node, after=at - NOON)
        assert record.envelope is not None
        meta = record.envelope.meta
        told = meta.model_copy(update={"node": meta.node.model_copy(update={"boot_id": boot})})
        envelope = record.envelope.model_copy(update={"meta": told})
        store.add([NodeOutcome.of(record.model_copy(update={"envelope": envelope}))])
    return boots


def test_the_ledger_keeps_the_newest_boots_of_each_node_and_those_of_late(store: Store, lock: SweepLock) -> None:
    often = booted(store, lock, "spark01", 20)
    seldom = booted(store, lock, "spark02", 3)
    gone = store.prune(lock, NOON + timedelta(days=9))
    assert gone.boots == 20 - BOOTS_KEPT
    assert [each.boot_id for each in store.contacts(["spark01"])["spark01"]] == often[-BOOTS_KEPT:]
    assert [each.boot_id for each in store.contacts(["spark02"])["spark02"]] == seldom
    late = booted(store, lock, "spark03", 20)
    assert store.prune(lock, NOON + timedelta(days=4)).boots == 4
    assert [each.boot_id for each in store.contacts(["spark03"])["spark03"]] == late[4:]
    assert store.prune(lock, NOON + timedelta(days=4)).boots == 0


def test_pruning_needs_the_lock(store: Store, lock: SweepLock, tmp_path: Path) -> None:
    filled(store, lock)
    with SweepLock(tmp_path / "elsewhere", ["x"]) as other, pytest.raises(ValueError, match="needs the lock"):
        store.prune(other, NOON)


def test_the_command(store: Store, lock: SweepLock, tmp_path: Path) -> None:
    filled(store, lock)
    options = ["--state", str(store.folder), "--days", "30", "--format", "human"]
    ran = sparkctl("store", "prune", *options, home=tmp_path)
    assert (ran.returncode, "another run uses" in ran.stderr) == (75, True), ran.stderr
    lock.release()
    ran = sparkctl("store", "prune", *options, home=tmp_path)
    assert (ran.returncode, "4 records of 3 runs let go" in ran.stdout) == (0, True), ran.stdout
