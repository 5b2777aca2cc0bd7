"""The journal on disk: chained, fenced, and written by one process at a time."""

import json
import multiprocessing
import os
import signal
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sparkctl.app import playbook_desk
from sparkctl.app.holder import has_ended, this_process, told
from sparkctl.errors import BusyError, RefusedError, StoreError, UsageError
from sparkctl.model.journal import Closed, Held, JournalEntry, Outcome, WaveBegan
from sparkctl.model.plan import Plan
from sparkctl.store.entries import ClaimedRun
from sparkctl.store.store import Store
from tests.support.playbooks import NOON, World, drive_world, plan_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def plan() -> Plan:
    return plan_of(3)


@pytest.fixture
def folder(tmp_path: Path, plan: Plan) -> Path:
    with Store.open(tmp_path / "state") as store:
        store.journals.keep_plan(plan)
    return tmp_path / "state"


def claim(store: Store, plan: Plan, *, holder: str = "a", now: datetime = NOON, gone: bool = False) -> ClaimedRun:
    names = [node.node_id for node in plan.nodes]
    return store.journals.claim(plan.run_id, names, holder, now=now, until=now + MINUTE, gone=lambda _: gone)


def append(store: Store, claimed: ClaimedRun, *, now: datetime = NOON, wave: int = 1) -> list[JournalEntry]:
    return store.journals.append(claimed, [WaveBegan(wave=wave)], now=now, until=now + MINUTE)


def test_records_are_chained_and_come_back_as_they_were(folder: Path, plan: Plan) -> None:
    with Store.open(folder) as store:
        claimed = claim(store, plan)
        written = [*append(store, claimed), *append(store, claimed, wave=2)]
        assert list(store.journals.entries(plan.run_id)) == written
        assert [one.seq for one in written] == [1, 2]
        assert written[1].previous == written[0].sha256
        assert store.journals.plan(plan.run_id) == plan


def test_a_clock_that_was_set_back_does_not_set_the_journal_back(folder: Path, plan: Plan) -> None:
    with Store.open(folder) as store:
        claimed = claim(store, plan)
        append(store, claimed)
        (late,) = append(store, claimed, now=NOON - timedelta(days=1))
        assert late.at == NOON


def test_who_was_overtaken_writes_nothing(folder: Path, plan: Plan) -> None:
    with Store.open(folder) as store:
        old = claim(store, plan)
        append(store, old)
        new = claim(store, plan, holder="b", now=NOON + 2 * MINUTE)
        assert new.fence == old.fence + 1
        assert all(new.node_fences[name] > old.node_fences[name] for name in old.node_fences)
        with pytest.raises(RefusedError, match="was taken up by b"):
            append(store, old, now=NOON + 2 * MINUTE)
        assert [one.fence for one in store.journals.entries(plan.run_id)] == [old.fence]
        append(store, new, now=NOON + 2 * MINUTE)


def test_a_run_in_somebodys_hands_is_not_taken_until_the_lease_is_over_or_the_holder_gone(
    folder: Path, plan: Plan
) -> None:
    with Store.open(folder) as store:
        claim(store, plan)
        with pytest.raises(BusyError, match="is driven by a"):
            claim(store, plan, holder="b", now=NOON + MINUTE / 2)
        assert claim(store, plan, holder="b", now=NOON + MINUTE / 2, gone=True).fence == 2
        assert claim(store, plan, holder="c", now=NOON + 2 * MINUTE).fence == 3


def test_a_node_is_in_the_hands_of_one_run(folder: Path, plan: Plan) -> None:
    other = plan_of(["n3", "n4"], run_id="r2")
    with Store.open(folder) as store:
        store.journals.keep_plan(other)
        claimed = claim(store, plan)
        with pytest.raises(BusyError, match="n3 is in the hands of the run r1"):
            claim(store, other)
        assert store.journals.held_nodes() == {"n1": "r1", "n2": "r1", "n3": "r1"}
        end = Closed(outcome=Outcome.DONE, summary="so")
        store.journals.append(claimed, [end], now=NOON, until=NOON + MINUTE, close=True)
        fences = claim(store, other).node_fences
        assert fences == {"n3": 2, "n4": 1}
        with pytest.raises(UsageError, match="is over"):
            claim(store, plan)


def test_a_plan_that_never_began_is_ended_whoever_has_its_nodes_and_was_never_begun(folder: Path, plan: Plan) -> None:
    other = plan_of(["n3", "n4"], run_id="r2")
    with Store.open(folder) as store:
        store.journals.keep_plan(other)
        claim(store, plan, holder="a", now=NOON, gone=True)
        made = playbook_desk.stop(store, other.run_id, by="bob", why="superseded", now=NOON)
        assert [entry.event.what for entry in made] == ["claimed", "closed"]
        assert store.journals.held_nodes() == {node.node_id: plan.run_id for node in plan.nodes}


def test_a_run_that_is_driven_is_not_ended_by_somebody_else(folder: Path, plan: Plan) -> None:
    with Store.open(folder) as store:
        claim(store, plan, holder=this_process(), now=NOON)
        with pytest.raises(BusyError, match=f"driven by process {os.getpid()}") as refused:
            playbook_desk.stop(store, plan.run_id, by="bob", why="enough", now=NOON)
        assert "Ctrl-C" in str(refused.value.hint)
        assert list(store.journals.entries(plan.run_id)) == []


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_record_that_was_changed_anywhere_is_not_believed(folder: Path, plan: Plan, at: int) -> None:
    with Store.open(folder) as store:
        claimed = claim(store, plan)
        append(store, claimed)
        store.journals.append(claimed, [Held(why="enough " * 20)], now=NOON, until=NOON + MINUTE)
    raw = sqlite3.connect(folder / "state.db")
    (body,) = raw.execute("SELECT body FROM journal WHERE seq = 2").fetchone()
    place = at % len(body)
    changed = body[:place] + ("X" if body[place] != "X" else "Y") + body[place + 1 :]
    raw.execute("UPDATE journal SET body = ? WHERE seq = 2", (changed,))
    raw.commit()
    raw.close()
    with Store.open(folder) as store, pytest.raises(RefusedError, match="record 2 of the journal of r1"):
        list(store.journals.entries(plan.run_id))


@pytest.mark.parametrize(
    ("change", "record"),
    [
        ("DELETE FROM journal WHERE seq = 2", 3),
        ("UPDATE journal SET seq = CASE seq WHEN 2 THEN 30 WHEN 3 THEN 2 END WHERE seq > 1", 2),
        ("UPDATE journal SET body = '{}' WHERE seq = 1", 1),
    ],
)
def test_a_record_that_was_removed_or_moved_is_named(folder: Path, plan: Plan, change: str, record: int) -> None:
    with Store.open(folder) as store:
        claimed = claim(store, plan)
        for wave in (1, 2, 3):
            append(store, claimed, wave=wave)
    raw = sqlite3.connect(folder / "state.db")
    raw.execute(change)
    raw.commit()
    raw.close()
    with Store.open(folder) as store, pytest.raises(RefusedError, match=f"record {record} of the journal"):
        list(store.journals.entries(plan.run_id))


def test_a_plan_that_was_changed_is_not_run(folder: Path, plan: Plan) -> None:
    raw = sqlite3.connect(folder / "state.db")
    raw.execute("UPDATE playbook_runs SET plan_sha256 = ?", ("f" * 64,))
    raw.commit()
    raw.close()
    with Store.open(folder) as store, pytest.raises(RefusedError, match="is not the one that was kept"):
        store.journals.plan(plan.run_id)


def contend(folder: Path, plan: Plan, name: str, cycles: int, log: Path) -> None:
    """Take the run, hold it while noting that, and give it back: again and again."""
    done = 0
    with Store.open(folder, create=False) as store:
        while done < cycles:
            now = datetime.now(UTC)
            try:
                held = claim(store, plan, holder=name, now=now)
            except BusyError:
                time.sleep(0.0005)
                continue
            with log.open("ab", buffering=0) as file:
                file.write(f"begin {held.fence}\n".encode())
                append(store, held, now=now)
                file.write(f"end {held.fence}\n".encode())
            store.journals.let_go(held)
            done += 1


def test_two_bastions_on_one_store_never_interleave(folder: Path, plan: Plan, tmp_path: Path) -> None:
    log, context = tmp_path / "log", multiprocessing.get_context("fork")
    pair = [context.Process(target=contend, args=(folder, plan, name, 500, log)) for name in ("a", "b")]
    for process in pair:
        process.start()
    for process in pair:
        process.join(120)
        assert process.exitcode == 0
    lines = log.read_text().split("\n")[:-1]
    assert len(lines) == 2000
    fences = []
    for begin, end in zip(lines[::2], lines[1::2], strict=True):
        assert begin.split()[0] == "begin"
        assert end == begin.replace("begin", "end")
        fences.append(int(begin.split()[1]))
    assert fences == list(range(1, 1001))
    with Store.open(folder) as store:
        assert [one.fence for one in store.journals.entries(plan.run_id)] == fences


def test_a_full_disk_in_mid_journal_stops_the_run_before_the_act(tmp_path: Path) -> None:
    plan = plan_of(40, at_once=4, steps=None)
    now = datetime.now(UTC)
    plan = plan.model_copy(update={"planned_at": now, "expires_at": now + timedelta(days=1)})
    world = World(tmp_path / "world")
    with Store.open(tmp_path / "state") as store:
        store.journals.keep_plan(plan)
    pages = (tmp_path / "state" / "state.db").stat().st_size // 4096 + 8

    def limit(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    try:
        with Store.open(tmp_path / "state") as store, pytest.raises(StoreError, match="disk is full"):
            drive_world(store, plan, world)
    finally:
        event.remove(Engine, "connect", limit)
    with Store.open(tmp_path / "state") as store:
        kept = list(store.journals.entries(plan.run_id))
        begun = {one.event.act for one in kept if one.event.what == "intended"}
        assert world.acts <= begun  # nothing was done that was not written down before
        state, _ = drive_world(store, plan, world)
    assert state.closed is not None
    assert world.repeated == []
    assert len(world.acts) == 120


def test_a_holder_is_known_to_have_ended_only_when_it_has() -> None:
    mine = this_process()
    assert not has_ended(mine)
    assert told(mine) == f"process {os.getpid()} on {json.loads(mine)['host']}"
    pid = os.fork()
    if pid == 0:
        signal.pause()
    theirs = json.dumps(json.loads(mine) | {"pid": pid, "began": None})
    assert has_ended(theirs)  # another process has that number now
    os.kill(pid, signal.SIGKILL)
    assert has_ended(json.dumps(json.loads(mine) | {"pid": pid}))
    os.waitpid(pid, 0)
    assert has_ended(json.dumps(json.loads(mine) | {"boot": "another"}))
    assert not has_ended(json.dumps(json.loads(mine) | {"host": "another", "pid": 1}))
    assert not has_ended("nonsense")
