"""Taking a run in hand: what must be so before, and that whoever may not leaves everything as it was."""

import dataclasses
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.app import playbook_run
from sparkctl.app.places import Places
from sparkctl.app.playbook_desk import answer, stop
from sparkctl.app.playbook_run import Driven, DriveRequest, drive
from sparkctl.app.playbook_site import Site
from sparkctl.errors import ExitCode, RefusedError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.model.journal import (
    Act,
    Answer,
    Answered,
    Asked,
    Claimed,
    Closed,
    Ended,
    Event,
    Intended,
    Opened,
    Outcome,
    Result,
    WaveBegan,
    act_id,
)
from sparkctl.model.plan import Plan
from sparkctl.store.entries import ClaimedRun
from sparkctl.store.journal import Journals
from sparkctl.store.store import Store
from tests.support.playbooks import Told, plan_of

NOW = datetime.now(UTC)
LATER = NOW + timedelta(minutes=1)
ACT = Act(node_id="n1", step="drain", attempt=1, act=act_id("r1", "n1", "drain", 1, undoing=False))


@pytest.fixture
def plan() -> Plan:
    """A plan of now, of two nodes that are no simulation, which somebody must approve."""
    made = plan_of(2, approvals=1)
    nodes = [node.model_copy(update={"simulated": False}) for node in made.nodes]
    return made.model_copy(update={"planned_at": NOW, "expires_at": NOW + timedelta(days=1), "nodes": nodes})


@pytest.fixture
def state(tmp_path: Path, plan: Plan) -> Path:
    with Store.open(tmp_path / "state") as store:
        store.journals.keep_plan(plan)
    return tmp_path / "state"


@pytest.fixture
def request_of(tmp_path: Path, state: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> DriveRequest:
    """A request to drive the plan, whose playbook is the same as ever."""
    (tmp_path / "fleet.yaml").write_text(
        "version: 1\nnodes:\n  n1: {ssh: {host: 127.0.0.1}, serial: ONE}\n  n2: 127.0.0.2\n"
    )
    (tmp_path / "signers").touch()
    monkeypatch.setattr(playbook_run, "_require_same", lambda *_: None)
    return DriveRequest(
        places=Places(tmp_path / "fleet.yaml", state, {}),
        site=Site(allowed_signers=tmp_path / "signers"),
        run_id=plan.run_id,
        limits=Limits.within(1.0, concurrency=1),
        state_of=lambda _: None,
        changed=lambda *_: None,
    )


def claim(store: Store, plan: Plan) -> ClaimedRun:
    names = [node.node_id for node in plan.nodes]
    return store.journals.claim(plan.run_id, names, "a", now=NOW, until=LATER, gone=lambda _: True)


def write(store: Store, plan: Plan, *events: Event) -> None:
    """What another process writes, which then gives the run back."""
    claimed = claim(store, plan)
    taken = Claimed(holder="a", node_fences=dict(claimed.node_fences))
    store.journals.append(claimed, [taken, *events], now=NOW, until=LATER)
    store.journals.let_go(claimed)


def test_a_claim_without_a_record_is_no_approval(request_of: DriveRequest, plan: Plan) -> None:
    with Store.open(request_of.places.state) as store:
        store.journals.let_go(claim(store, plan))  # as by `stop`, killed before it wrote anything
        with pytest.raises(RefusedError, match="needs the approval of 1 person: nobody did"):
            drive(request_of, store)
        assert list(store.journals.entries(plan.run_id)) == []


def test_a_run_that_is_not_held_cannot_be_released_and_takes_no_node(request_of: DriveRequest, plan: Plan) -> None:
    asked = dataclasses.replace(request_of, release=("alice", "so"))
    with Store.open(request_of.places.state) as store:
        write(store, plan, Opened(plan_sha256=plan.sha256, approved_by=["alice"]))
        before = store.journals.run(plan.run_id).fence
        with pytest.raises(UsageError, match="r1 is not held"):
            drive(asked, store)
        assert store.journals.run(plan.run_id).fence == before


def test_a_node_is_held_to_the_serial_that_it_got_after_the_plan(request_of: DriveRequest, plan: Plan) -> None:
    found = playbook_run._nodes_of(plan, request_of)
    assert {name: node.serial for name, node in found.items()} == {"n1": "ONE", "n2": None}


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Something happens right before the next claim."""
    claims = Journals.claim

    def late(*words: object, **named: object) -> ClaimedRun:
        monkeypatch.setattr(Journals, "claim", claims)
        happens()
        return claims(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Journals, "claim", late)


def test_of_two_who_answer_at_the_same_time_one_is_heard(
    state: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(state) as store:
        intended = Intended(**ACT.model_dump())
        write(store, plan, Opened(plan_sha256=plan.sha256, approved_by=[]), intended)
        write(store, plan, Asked(**ACT.model_dump(), question="well?"))

        def say(said: Answer, by: str) -> None:
            answer(store, plan.run_id, "n1", said, by=by, why="so", now=NOW)

        meanwhile(monkeypatch, lambda: say(Answer.DONE, "alice"))
        with pytest.raises(UsageError, match="asks nothing about n1"):
            say(Answer.REPEAT, "bob")
        answers = [one.event for one in store.journals.entries(plan.run_id) if isinstance(one.event, Answered)]
        assert [one.by for one in answers] == ["alice"]


def test_a_run_is_not_stopped_while_an_act_of_the_last_moment_is_in_doubt(
    state: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(state) as store:
        write(store, plan, Opened(plan_sha256=plan.sha256, approved_by=[]))
        meanwhile(monkeypatch, lambda: write(store, plan, Intended(**ACT.model_dump())))
        with pytest.raises(RefusedError, match="in doubt what became of the last step on n1"):
            stop(store, plan.run_id, by="bob", why="so", now=NOW)
        assert not any(isinstance(one.event, Closed) for one in store.journals.entries(plan.run_id))
        assert store.journals.held_nodes() == {"n1": "r1", "n2": "r1"}


def test_a_journal_of_another_run_is_not_believed(state: Path, plan: Plan) -> None:
    other = plan.model_copy(update={"run_id": "r2"})
    with Store.open(state) as store:
        store.journals.keep_plan(other)
        write(store, plan, Opened(plan_sha256=plan.sha256, approved_by=["alice"]))
    raw = sqlite3.connect(state / "state.db")
    raw.execute("UPDATE journal SET run = (SELECT id FROM playbook_runs WHERE run_id = 'r2')")
    raw.commit()
    raw.close()
    with Store.open(state) as store, pytest.raises(RefusedError, match="record 1 of the journal of r2 is not what"):
        list(store.journals.entries("r2"))


def test_a_plan_that_nobody_began_is_given_up_while_another_run_has_its_nodes(state: Path, plan: Plan) -> None:
    other = plan.model_copy(update={"run_id": "r2"})
    with Store.open(state) as store:
        store.journals.keep_plan(other)
        write(store, plan, Opened(plan_sha256=plan.sha256, approved_by=["alice"]))
        stop(store, "r2", by="bob", why="so", now=NOW)
        assert store.journals.run("r2").ended_at is not None
        assert store.journals.held_nodes() == {"n1": "r1", "n2": "r1"}


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([Result.DONE], ExitCode.OK),
        ([Result.FAILED, Result.DONE], ExitCode.FINDINGS),
        ([Result.FAILED, Result.REFUSED, Result.UNREACHABLE], ExitCode.FINDINGS),
        ([Result.REFUSED, Result.DONE], ExitCode.REFUSED),
        ([Result.UNREACHABLE, Result.DONE], ExitCode.UNJUDGED),
        ([Result.UNREACHABLE, Result.REFUSED], ExitCode.UNJUDGED),
        ([Result.UNKNOWN], ExitCode.UNJUDGED),
    ],
)
def test_the_exit_code_of_a_run_tells_what_became_of_its_nodes(results: list[Result], code: ExitCode) -> None:
    told = Told(plan_of(len(results)))
    told.say(WaveBegan(wave=1))
    for number, result in enumerate(results, 1):
        act = Act(node_id=f"n{number}", step="drain", attempt=1, act=f"{number:032x}")
        told.say(Intended(**act.model_dump()), Ended(**act.model_dump(), result=result, summary="so", duration_ms=5))
    outcome = Outcome.DONE if set(results) == {Result.DONE} else Outcome.FAILED
    told.say(Closed(outcome=outcome, summary="so"))
    assert Driven(told.state, None).exit_code is code
