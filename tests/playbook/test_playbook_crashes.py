"""A run whose process is killed after every record: no act is begun twice, and it comes to the same end."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sparkctl.model.journal import Ended, Intended, JournalEntry, Outcome, Result
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Budget, OnFailure
from sparkctl.playbook.state import NodeStatus, fold
from sparkctl.store.store import Store
from tests.support.playbooks import World, drive_world, plan_of, step

MOST_PROCESSES = 3000


def in_a_process(work: Callable[[], None]) -> int:
    """Do the work in a forked process; its exit status, or the signal that ended it as a negative number."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_after(records: int) -> Callable[[JournalEntry], None]:
    """Kill this process as soon as so many records are on the disk."""
    left = records

    def count(_entry: JournalEntry) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def kept(folder: Path, plan: Plan) -> Path:
    with Store.open(folder) as store:
        store.journals.keep_plan(plan)
    return folder


def run_with_kills(folder: Path, plan: Plan, world: World, records: int) -> int:
    """Drive a run to its end with a process for every so many records; how many processes that took."""

    def once() -> None:
        with Store.open(folder, create=False) as store:
            if store.journals.run(plan.run_id).ended_at is None:  # it may have been killed after the very last record
                drive_world(store, plan, world, changed=killed_after(records))

    for number in range(1, MOST_PROCESSES):
        status = in_a_process(once)
        if status == 0:
            return number
        assert status == -signal.SIGKILL
    raise AssertionError("the run does not come to its end")


def current(plan: Plan) -> Plan:
    """The same plan, made now."""
    now = datetime.now(UTC)
    return plan.model_copy(update={"planned_at": now, "expires_at": now + (plan.expires_at - plan.planned_at)})


@pytest.mark.parametrize("records", [1, 2, 7])
def test_a_run_that_is_killed_again_and_again_repeats_no_act(tmp_path: Path, records: int) -> None:
    plan = current(plan_of(6, waves=[["n1"], ["n2", "n3"], ["n4", "n5", "n6"]], at_once=3))
    folder, world = kept(tmp_path / "state", plan), World(tmp_path / "world")
    processes = run_with_kills(folder, plan, world, records)
    assert processes > 10 / records
    assert world.repeated == []
    assert len(world.acts) == 6 * 3
    with Store.open(folder, create=False) as store:
        entries = list(store.journals.entries(plan.run_id))
        state = fold(plan, entries)
    assert state.closed is not None
    assert state.closed.outcome is Outcome.DONE
    assert {state.status(node) for node in state.nodes.values()} == {NodeStatus.DONE}
    ended = [entry.event.act for entry in entries if isinstance(entry.event, Ended)]
    assert len(ended) == len(set(ended)) == 18
    intents = [entry.event.act for entry in entries if isinstance(entry.event, Intended)]
    assert len(intents) == len(set(intents)) == 18


@pytest.mark.slow
def test_fifty_nodes_killed_after_every_record_come_to_the_end_that_they_would_have_had(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(1, 51)]
    steps = [step("update", undo=True), step("check")]
    waves = [names[:1], names[1:11], names[11:]]
    plan = current(plan_of(names, steps=steps, waves=waves, at_once=10, budget=Budget(wave=2, total=3)))
    bad = {"n5/update": Result.FAILED, "n20/check": Result.UNREACHABLE}
    smooth = World(tmp_path / "smooth", bad)
    with Store.open(tmp_path / "one") as store:
        store.journals.keep_plan(plan)
        want, _ = drive_world(store, plan, smooth)
    world = World(tmp_path / "world", bad, seconds=0.01)
    folder = kept(tmp_path / "state", plan)
    processes = run_with_kills(folder, plan, world, 1)
    with Store.open(folder, create=False) as store:
        state = fold(plan, store.journals.entries(plan.run_id))
    assert processes > 160
    assert world.repeated == []
    assert world.acts == smooth.acts
    assert {name: state.status(node) for name, node in state.nodes.items()} == {
        name: want.status(node) for name, node in want.nodes.items()
    }


def test_a_rollback_that_is_killed_again_and_again_takes_everything_back_once(tmp_path: Path) -> None:
    plan = current(plan_of(4, on_failure=OnFailure.ROLLBACK))
    folder, world = kept(tmp_path / "state", plan), World(tmp_path / "world", {"n2/check": Result.FAILED})
    run_with_kills(folder, plan, world, 1)
    with Store.open(folder, create=False) as store:
        state = fold(plan, store.journals.entries(plan.run_id))
    assert world.repeated == []
    assert state.held is not None
    assert {state.status(node) for node in state.nodes.values()} <= {NodeStatus.ROLLED_BACK, NodeStatus.WAITING}
    undone = [one for node in state.nodes.values() for one in node.ended if one.undoing]
    assert {one.step for one in undone} == {"drain", "update"}
    assert len({(one.node_id, one.step) for one in undone}) == len(undone) >= 2
