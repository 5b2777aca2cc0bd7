"""One act on one node, and what becomes of it when the node answers late, twice, not at all, or lies."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from sparkctl.app import playbook_control
from sparkctl.app.playbook_control import Control, Controls
from sparkctl.app.playbook_doing import FleetDoing
from sparkctl.app.playbook_driver import Came, NotBegun, Question
from sparkctl.app.playbook_visits import Visits
from sparkctl.contract.decode import Expected, decode_control
from sparkctl.errors import ContractError
from sparkctl.executor.question import Question as Asks
from sparkctl.model.control import ControlEnvelope
from sparkctl.model.journal import Act, Ended, Intended, Result, act_id
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Elevation, Origin, Outcome, Stage
from tests.support.envelopes import PROGRAM, envelope, unreported
from tests.support.playbooks import Told, plan_of, step

ACT = Act(node_id="n1", step="drain", attempt=1, act=act_id("r1", "n1", "drain", 1, undoing=False))
UNDO = ACT.model_copy(update={"undoing": True})
UNIT = f"sparkctl-act-{ACT.act}.service"
BOOT = "b"


def said(phase: str, result: str, **parts: Any) -> dict[str, Any]:
    """A document of a controller as a node would send it."""
    data = {"controller": "drain", "phase": phase, "act": ACT.act, "result": result, "summary": "so", **parts}
    return {**envelope(schema="sparkctl.control/1", tool="spark_controlctl"), "data": data}


def record(document: dict[str, Any]) -> RunRecord:
    seen = ControlEnvelope.model_validate_json(json.dumps(document))
    return unreported("n1").model_copy(
        update={"outcome": Outcome.REPORTED, "failure": None, "status": "ok", "envelope": seen}
    )  # fmt: skip


def lost(cause: Cause) -> RunRecord:
    return unreported("n1", Stage.RUN, cause)


@dataclass
class Node:
    """A node that answers each phase by a list, of which the last answer repeats."""

    answers: dict[str, Sequence[RunRecord]]
    asked: list[str] = field(default_factory=list)

    async def ask(self, node_id: str, command: str, question: Asks, *, as_root: bool = False) -> RunRecord:
        assert (node_id, command, as_root) == ("n1", "control", True)
        assert question.control is not None
        phase = question.control[1]
        number = self.asked.count(phase)
        self.asked.append(phase)
        return self.answers[phase][min(number, len(self.answers[phase]) - 1)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook_control, "FIRST_POLL_S", 0.001)
    monkeypatch.setattr(playbook_control, "SLOWER", 1.0)


def do(node: Node, *, act: Act = ACT, within_s: int = 5) -> Came | Question | NotBegun:
    control = Control("drain", {}, within_s, act, undoing=act.undoing)
    intended = Intended(**act.model_dump(), boot_id=BOOT)
    return asyncio.run(Controls(cast("Visits", node)).do(control, intended, 1))


STARTED = record(said("apply", "started", unit=UNIT, argv=["stop"]))
ENDED = record(said("observe", "done", unit=UNIT, exit_status=0))
HOLDS = record(said("postcheck", "holds"))


def test_what_needs_no_doing_at_the_last_moment_is_done() -> None:
    absent = record(said("observe", "absent"))
    node = Node({"apply": [record(said("apply", "done"))], "observe": [absent], "postcheck": [HOLDS]})
    came = do(node)
    assert isinstance(came, Came)
    assert came.result is Result.DONE
    assert node.asked == ["apply", "postcheck"]


def test_where_nothing_is_to_be_taken_back_it_is_taken_back() -> None:
    node = Node({"undo": [record(said("undo", "done"))], "observe": [record(said("observe", "absent"))]})
    came = do(node, act=UNDO)
    assert isinstance(came, Came)
    assert (came.result, node.asked) == (Result.DONE, ["undo"])


@pytest.mark.parametrize("cause", [Cause.SIGNAL, Cause.EXIT_STATUS, Cause.NO_DOCUMENT, Cause.CONNECTION_LOST])
def test_an_answer_that_is_cut_off_leaves_the_act_in_doubt_and_is_asked_for_again(cause: Cause) -> None:
    node = Node({"apply": [lost(cause)], "observe": [lost(cause), ENDED], "postcheck": [lost(cause), HOLDS]})
    came = do(node)
    assert isinstance(came, Came)
    assert came.result is Result.DONE
    assert node.asked.count("apply") == 1


@pytest.mark.parametrize(
    ("cause", "result"), [(Cause.SIGNAL, Result.UNKNOWN), (Cause.CONNECTION_LOST, Result.UNREACHABLE)]
)
def test_a_node_that_only_cuts_off_costs_its_step(cause: Cause, result: Result) -> None:
    came = do(Node({"apply": [STARTED], "observe": [lost(cause)]}), within_s=1)
    assert isinstance(came, Came)
    assert (came.result, came.reason) == (result, cause.value)


def test_a_node_of_another_identity_is_left_at_once() -> None:
    node = Node({"apply": [STARTED], "observe": [lost(Cause.IDENTITY_MISMATCH)]})
    came = do(node)
    assert isinstance(came, Came)
    assert (came.result, node.asked) == (Result.REFUSED, ["apply", "observe"])


def test_however_often_a_node_says_that_it_is_not_yet_so_little_is_kept() -> None:
    lacks = record(said("postcheck", "lacks", reason="same_boot"))
    node = Node({"apply": [STARTED], "observe": [ENDED], "postcheck": [lacks] * 60 + [HOLDS]})
    came = do(node)
    assert isinstance(came, Came)
    assert came.result is Result.DONE
    assert len(came.texts) == 4  # started, ended, not yet so, so


def test_a_question_about_a_long_summary_can_be_asked() -> None:
    absent = said("observe", "absent", reason="other_boot")
    absent["meta"]["node"]["boot_id"] = "another"
    lacks = record(said("postcheck", "lacks", summary="x" * 1000))
    found = do(Node({"apply": [STARTED], "observe": [record(absent)], "postcheck": [lacks]}))
    assert isinstance(found, Question)
    assert len(found.words) == 1000


@pytest.mark.parametrize(
    ("phase", "result"),
    [("observe", "ready"), ("observe", "holds"), ("apply", "holds"), ("precheck", "done"), ("postcheck", "ready")],
)
def test_an_answer_that_a_phase_cannot_give_is_no_answer(phase: str, result: str) -> None:
    expected = Expected(262144, PROGRAM, Elevation.NONE, Origin.LIVE, {}, control=("drain", phase, ACT.act))
    with pytest.raises(ContractError, match=f"answers {result}, which {phase} cannot"):
        decode_control(json.dumps(said(phase, result)).encode(), expected)


@dataclass
class Kept:
    """Documents of a journal, in memory."""

    documents: dict[str, bytes]

    def document(self, digest: str) -> bytes | None:
        return self.documents.get(digest)


def observed_before(*events: Any, **documents: RunRecord) -> dict[str, Any]:
    texts = {name * 64: text.model_dump_json().encode() for name, text in documents.items()}
    doing = FleetDoing.__new__(FleetDoing)
    object.__setattr__(doing, "state", Told(plan_of(["n1"], steps=[step("drain", undo=True)])).say(*events))
    object.__setattr__(doing, "journals", Kept(texts))
    return doing._observed_before(UNDO)


def ended(*documents: str) -> Ended:
    return Ended(**ACT.model_dump(), result=Result.DONE, summary="so", duration_ms=1, documents=list(documents))


def test_what_was_before_is_known_although_the_answer_to_the_act_was_lost() -> None:
    precheck = record(said("precheck", "ready", observed={"docker.service": "active"}))
    apply = record(said("apply", "started", observed={"docker.service": "failed"}))
    intended = Intended(**ACT.model_dump(), documents=["a" * 64])
    assert observed_before(intended, ended("b" * 64), a=precheck, b=ENDED) == {"docker.service": "active"}
    assert observed_before(intended, ended("b" * 64), a=precheck, b=apply) == {"docker.service": "failed"}
    assert observed_before(Intended(**ACT.model_dump()), ended()) == {}
