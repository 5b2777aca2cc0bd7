"""What is to be done next: a function of the plan, the journal, the moment and the calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from sparkctl.model.journal import (
    Act,
    Answer,
    Answered,
    Asked,
    Closed,
    Ended,
    Held,
    Intended,
    JournalEntry,
    Outcome,
    Released,
    Result,
    WaveBegan,
    WaveJudged,
    act_id,
)
from sparkctl.model.playbook import Budget, OnFailure
from sparkctl.model.schedule_times import EVERY_DAY, at
from sparkctl.playbook.calendar import Calendar, Freeze, OpenTimes
from sparkctl.playbook.engine import (
    Action,
    BeginWave,
    Close,
    Hold,
    JudgeWave,
    Look,
    Start,
    Wait,
    next_actions,
)
from sparkctl.playbook.state import NodeStatus
from sparkctl.report.playbook import soak_line
from tests.support.playbooks import NOON, STEPS, Told, plan_of, step

ALWAYS = Calendar()


def act(node: str, name: str, *, attempt: int = 1, undoing: bool = False) -> Act:
    return Act(
        node_id=node,
        step=name,
        attempt=attempt,
        undoing=undoing,
        act=act_id("r1", node, name, attempt, undoing=undoing),
    )


def intended(node: str, name: str, **how: object) -> Intended:
    return Intended(**act(node, name, **how).model_dump(), boot_id="b1")  # type: ignore[arg-type]


def ended(node: str, name: str, result: Result = Result.DONE, **how: object) -> Ended:
    return Ended(**act(node, name, **how).model_dump(), result=result, summary="so", duration_ms=5)  # type: ignore[arg-type]


def did(told: Told, node: str, *names: str, result: Result = Result.DONE) -> None:
    """A node did some steps, the last of which ended so."""
    for name in names:
        told.say(intended(node, name), ended(node, name, result if name == names[-1] else Result.DONE))


def actions(told: Told, calendar: Calendar = ALWAYS) -> list[Action]:
    return next_actions(told.state, told.at, calendar)


def starts(told: Told, calendar: Calendar = ALWAYS) -> list[tuple[str, str]]:
    found = actions(told, calendar)
    assert all(isinstance(one, Start) for one in found), found
    return [(one.node_id, one.step.id) for one in found if isinstance(one, Start)]


def test_a_run_goes_from_its_first_wave_to_its_end() -> None:
    told = Told(plan_of(2))
    assert actions(told) == [BeginWave(1)]
    told.say(WaveBegan(wave=1))
    assert starts(told) == [("n1", "drain"), ("n2", "drain")]
    did(told, "n1", *STEPS)
    assert starts(told) == [("n2", "drain")]
    did(told, "n2", *STEPS)
    assert actions(told) == [Close(Outcome.DONE, "2 of 2 nodes came out well")]
    told.say(Closed(outcome=Outcome.DONE, summary="so"))
    assert actions(told) == []


def test_no_more_nodes_are_under_way_than_may_be() -> None:
    told = Told(plan_of(5, at_once=2))
    told.say(WaveBegan(wave=1), intended("n1", "drain"))
    assert starts(told) == [("n2", "drain")]
    told.say(intended("n2", "drain"))
    assert [type(one) for one in actions(told)] == [Wait]
    told.say(ended("n1", "drain"))
    assert starts(told) == [("n1", "update")]


def test_what_an_earlier_process_began_is_looked_at_before_anything_else() -> None:
    told = Told(plan_of(3))
    told.say(WaveBegan(wave=1), intended("n1", "drain"), intended("n2", "drain"), ended("n2", "drain"))
    told.say(told.claim())
    (look,) = actions(told)
    assert isinstance(look, Look)
    assert (look.node_id, look.step.id, look.intended.boot_id) == ("n1", "drain", "b1")
    told.say(ended("n1", "drain"))
    assert starts(told) == [("n1", "update"), ("n2", "update"), ("n3", "drain")]


def test_a_node_that_fails_is_left_as_it_is_but_for_steps_that_are_always_done() -> None:
    steps = [step("drain"), step("update"), step("check"), step("unmute", always=True)]
    told = Told(plan_of(2, steps=steps, budget=Budget(wave=1, total=1)))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain", "update", result=Result.FAILED)
    assert starts(told) == [("n1", "unmute"), ("n2", "drain")]
    did(told, "n1", "unmute")
    assert told.state.status(told.state.nodes["n1"]) is NodeStatus.FAILED
    assert starts(told) == [("n2", "drain")]


@pytest.mark.parametrize("result", [Result.FAILED, Result.UNREACHABLE, Result.UNKNOWN, Result.REFUSED])
def test_every_bad_end_counts_alike_against_the_budget(result: Result) -> None:
    told = Told(plan_of(3, budget=Budget(wave=1, total=1)))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain", result=result)
    assert starts(told) == [("n2", "drain"), ("n3", "drain")]
    did(told, "n2", "drain", result=result)
    assert actions(told) == [Hold("2 nodes have not come out well in wave 1; the budget is 1")]


def test_the_budget_of_the_whole_run_counts_earlier_waves() -> None:
    told = Told(plan_of(2, waves=[["n1"], ["n2"]], budget=Budget(wave=1, total=1)))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain", result=Result.FAILED)
    told.say(WaveJudged(wave=1, promoted=True, summary="good"), WaveBegan(wave=2))
    did(told, "n2", "drain", result=Result.FAILED)
    assert actions(told) == [Hold("2 nodes have not come out well in all; the budget is 1")]


def test_a_held_run_begins_nothing_and_goes_on_when_a_person_lets_it() -> None:
    told = Told(plan_of(3))
    told.say(WaveBegan(wave=1), intended("n2", "drain"))
    did(told, "n1", "drain", result=Result.FAILED)
    told.say(Held(why="enough"))
    assert actions(told) == [Wait(None, "enough")]
    told.say(ended("n2", "drain"))
    assert actions(told) == [Wait(None, "enough")]
    told.say(Released(by="me", why="n1 is replaced"))
    assert starts(told) == [("n2", "update"), ("n3", "drain")]
    did(told, "n2", "update", result=Result.FAILED)
    assert isinstance(actions(told)[0], Hold)


def test_stop_new_lets_nodes_under_way_come_to_their_end() -> None:
    told = Told(plan_of(3, on_failure=OnFailure.STOP_NEW))
    told.say(WaveBegan(wave=1))
    did(told, "n2", "drain")
    did(told, "n1", "drain", result=Result.FAILED)
    told.say(Held(why="enough"))
    assert starts(told) == [("n2", "update")]
    did(told, "n2", "update", "check")
    assert actions(told) == [Wait(None, "enough")]


def test_a_rollback_takes_back_what_was_done_last_first_and_waits_for_what_is_under_way() -> None:
    told = Told(plan_of(3, on_failure=OnFailure.ROLLBACK))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain", "update", result=Result.FAILED)
    told.say(intended("n2", "drain"))
    (hold,) = actions(told)
    assert isinstance(hold, Hold)
    assert hold.undo == ("n1", "n2")
    told.say(Held(why=hold.why, undo=list(hold.undo)))
    assert [(one.node_id, one.step.id, one.undoing) for one in actions(told) if isinstance(one, Start)] == [
        ("n1", "update", True)
    ]
    told.say(ended("n2", "drain"))
    assert {(one.node_id, one.step.id) for one in actions(told) if isinstance(one, Start)} == {
        ("n1", "update"),
        ("n2", "drain"),
    }
    for node, name in (("n1", "update"), ("n1", "drain"), ("n2", "drain")):
        told.say(intended(node, name, undoing=True), ended(node, name, undoing=True))
    assert actions(told) == [Wait(None, hold.why)]
    assert told.state.status(told.state.nodes["n1"]) is NodeStatus.ROLLED_BACK
    assert told.state.status(told.state.nodes["n3"]) is NodeStatus.WAITING


def test_what_cannot_be_taken_back_leaves_the_rest_alone() -> None:
    told = Told(plan_of(1, on_failure=OnFailure.ROLLBACK))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain", "update", result=Result.FAILED)
    told.say(Held(why="enough", undo=["n1"]))
    told.say(intended("n1", "update", undoing=True), ended("n1", "update", Result.FAILED, undoing=True))
    assert told.state.status(told.state.nodes["n1"]) is NodeStatus.ROLLBACK_FAILED
    assert actions(told) == [Wait(None, "enough")]


@pytest.mark.parametrize(
    ("answer", "status"), [(Answer.DONE, NodeStatus.UNDER_WAY), (Answer.FAILED, NodeStatus.FAILED)]
)
def test_a_person_says_how_a_step_stands(answer: Answer, status: NodeStatus) -> None:
    told = Told(plan_of(1))
    told.say(WaveBegan(wave=1), intended("n1", "drain"))
    told.say(Asked(**act("n1", "drain").model_dump(), question="is it?"))
    assert [type(one) for one in actions(told)] == [Wait]
    told.say(told.claim())  # what is asked is not looked at again
    assert [type(one) for one in actions(told)] == [Wait]
    told.say(Answered(**act("n1", "drain").model_dump(), answer=answer, by="me", why="seen"))
    assert told.state.status(told.state.nodes["n1"]) is status


def test_a_step_that_is_to_be_repeated_is_another_act() -> None:
    told = Told(plan_of(1))
    told.say(WaveBegan(wave=1), intended("n1", "drain"))
    told.say(Asked(**act("n1", "drain").model_dump(), question="is it?"))
    told.say(Answered(**act("n1", "drain").model_dump(), answer=Answer.REPEAT, by="me", why="it was not"))
    (again,) = actions(told)
    assert isinstance(again, Start)
    assert again.attempt == 2
    assert act("n1", "drain", attempt=2).act != act("n1", "drain").act


def test_a_wave_soaks_and_is_judged_before_the_next_begins() -> None:
    told = Told(plan_of(2, waves=[["n1"], ["n2"]], soak_s=600))
    told.say(WaveBegan(wave=1))
    did(told, "n1", *STEPS)
    assert actions(told) == [Wait(told.at + timedelta(seconds=600), "wave 1 soaks")]
    assert next_actions(told.state, told.at + timedelta(seconds=600), ALWAYS) == [JudgeWave(1)]
    told.say(WaveJudged(wave=1, promoted=False, summary="gpu.xid fails"), after=timedelta(seconds=700))
    assert actions(told) == [Hold("wave 1 is not good enough: gpu.xid fails")]
    told.say(Held(why="so"), Released(by="me", why="known"))
    assert actions(told) == [BeginWave(2)]


@pytest.mark.parametrize(
    ("wave", "result", "words"),
    [
        (1, Result.DONE, "2026-12-01 12:00:00Z  wave 1 soaks until 2026-12-01 12:10:00Z"),
        (1, Result.FAILED, None),  # it is held at once
        (2, Result.DONE, None),  # nothing comes after it
    ],
)
def test_who_watches_is_told_that_a_wave_soaks(wave: int, result: Result, words: str | None) -> None:
    told = Told(plan_of(2, waves=[["n1"], ["n2"]], soak_s=600))
    told.say(WaveBegan(wave=wave))
    did(told, f"n{wave}", *STEPS, result=result)
    last = ended(f"n{wave}", STEPS[-1], result)
    entry = JournalEntry(run_id="r1", seq=9, at=NOON, fence=1, previous="0" * 64, event=last)
    assert soak_line(entry, told.state) == words
    assert soak_line(entry.model_copy(update={"event": WaveBegan(wave=wave)}), told.state) is None


def test_a_clock_that_was_set_back_neither_repeats_nor_shortens_anything() -> None:
    told = Told(plan_of(2, waves=[["n1"], ["n2"]], soak_s=600))
    told.say(WaveBegan(wave=1))
    did(told, "n1", *STEPS)
    assert next_actions(told.state, NOON - timedelta(days=400), ALWAYS) == [
        Wait(told.at + timedelta(seconds=600), "wave 1 soaks")
    ]


def test_after_the_plan_has_expired_no_further_node_begins() -> None:
    told = Told(plan_of(2))
    told.say(WaveBegan(wave=1), intended("n1", "drain"))
    late = told.state.plan.expires_at + timedelta(seconds=1)
    assert [type(one) for one in next_actions(told.state, late, ALWAYS)] == [Wait]
    told.say(ended("n1", "drain", Result.DONE), after=timedelta(days=2))
    assert starts(told) == [("n1", "update")]
    did(told, "n1", "update", "check")
    (hold,) = actions(told)
    assert isinstance(hold, Hold)
    assert "expired" in hold.why


NIGHT = Calendar((OpenTimes("nights", at({22 * 60}, EVERY_DAY), timedelta(hours=2)),))


def test_a_node_begins_only_where_it_fits_into_a_window() -> None:
    plan = plan_of(2, windowed=True, estimates=dict.fromkeys(STEPS, 1200))
    told = Told(plan)
    told.say(WaveBegan(wave=1))
    opens = datetime(2026, 12, 1, 22, tzinfo=UTC)
    assert actions(told, NIGHT) == [Wait(opens, "no window is open that is long enough for a node")]
    assert [type(one) for one in next_actions(told.state, opens, NIGHT)] == [Start, Start]
    assert isinstance(next_actions(told.state, opens + timedelta(minutes=61), NIGHT)[0], Wait)
    told.say(intended("n1", "drain"), ended("n1", "drain"), after=timedelta(hours=10))
    closed = opens + timedelta(hours=5)
    assert [(one.node_id) for one in next_actions(told.state, closed, NIGHT) if isinstance(one, Start)] == ["n1"]


def test_a_freeze_shuts_an_open_window() -> None:
    freeze = Freeze("year end", NOON - timedelta(days=1), NOON + timedelta(days=3), "nobody is here")
    told = Told(plan_of(1, windowed=True))
    told.say(WaveBegan(wave=1))
    assert actions(told, Calendar((), (freeze,))) == [Wait(freeze.ends, "the freeze year end (nobody is here)")]


def test_the_same_records_always_give_the_same_actions() -> None:
    first, second = Told(plan_of(3)), Told(plan_of(3))
    for told in (first, second):
        told.say(WaveBegan(wave=1), intended("n1", "drain"), ended("n1", "drain"))
    assert actions(first) == actions(second)


def test_a_unit_goes_from_step_to_step_together_even_where_one_node_at_a_time_may() -> None:
    told = Told(plan_of(3, units={"n1": "p", "n2": "p"}, at_once=1, budget=Budget(wave=1, total=1)))
    told.say(WaveBegan(wave=1), intended("n1", "drain"))
    assert starts(told) == [("n2", "drain")]  # it is cabled to one that is under way
    told.say(ended("n1", "drain"))
    assert starts(told) == [("n2", "drain")]
    did(told, "n2", "drain")
    assert starts(told) == [("n1", "update"), ("n2", "update")]
    did(told, "n2", "update", result=Result.FAILED)
    assert starts(told) == [("n1", "update")]
    did(told, "n1", "update", "check")
    assert starts(told) == [("n3", "drain")]


def test_a_unit_that_has_begun_comes_to_its_end_together_when_the_window_closes_between_its_nodes() -> None:
    units = {"n1": "p", "n2": "p"}
    told = Told(plan_of(3, units=units, windowed=True, estimates=dict.fromkeys(STEPS, 1200)))
    told.say(WaveBegan(wave=1))
    told.say(intended("n1", "drain"), ended("n1", "drain"), after=timedelta(hours=10))
    closed = NOON + timedelta(hours=13)
    assert [one.node_id for one in next_actions(told.state, closed, NIGHT) if isinstance(one, Start)] == ["n2"]
    expired = told.state.plan.expires_at + timedelta(days=1)
    assert [one.node_id for one in next_actions(told.state, expired, NIGHT) if isinstance(one, Start)] == ["n2"]
    told.say(intended("n1", "update"), ended("n1", "update", Result.FAILED), Released(by="me", why="so"))
    assert [type(one) for one in next_actions(told.state, closed, NIGHT)] == [Wait]


def test_stop_new_does_not_stop_between_the_nodes_of_a_unit() -> None:
    told = Told(plan_of(4, units={"n1": "p", "n2": "p"}, on_failure=OnFailure.STOP_NEW))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain")
    did(told, "n3", "drain", result=Result.FAILED)
    told.say(Held(why="enough"))
    assert starts(told) == [("n2", "drain")]


def test_what_is_not_to_be_done_again_does_not_keep_the_rest_from_being_taken_back() -> None:
    told = Told(plan_of(2, on_failure=OnFailure.ROLLBACK))
    told.say(WaveBegan(wave=1))
    did(told, "n1", "drain")
    told.say(intended("n1", "update"), Asked(**act("n1", "update").model_dump(), question="is it?"))
    did(told, "n2", "drain", result=Result.FAILED)
    told.say(Held(why="enough", undo=["n1", "n2"]))
    told.say(intended("n2", "drain", undoing=True), ended("n2", "drain", undoing=True))
    told.say(Answered(**act("n1", "update").model_dump(), answer=Answer.REPEAT, by="me", why="it was not"))
    (back,) = actions(told)
    assert isinstance(back, Start)
    assert (back.node_id, back.step.id, back.undoing) == ("n1", "drain", True)
