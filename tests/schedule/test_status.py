"""Which schedules live, as an outside watcher is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.app.schedule_install import Target
from sparkctl.app.schedule_memory import Keeper
from sparkctl.app.schedule_status import statuses, trouble
from sparkctl.model.durations import told_age
from sparkctl.model.schedule import Coverage, Heartbeat, ScheduleOutcome, Skips
from tests.schedule.plans import plan_of

NOW = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def heartbeat(ended: datetime, outcome: ScheduleOutcome = ScheduleOutcome.DONE, **changes: object) -> Heartbeat:
    whole = Heartbeat(
        name="sweep", host="bastion", run="health", selector="all", period_s=900, max_age_s=2700, due_at=None,
        started_at=ended, finished_at=ended, outcome=outcome, exit_code=1, exit_name="findings",
        why=None if outcome is ScheduleOutcome.DONE else "health ended with 2 (usage)", run_id=None,
        coverage=Coverage(selected=4, reported=3, unreported=1), completeness=None, interrupted=False, skips=Skips(),
        last_done_at=ended if outcome is ScheduleOutcome.DONE else None,
    )  # fmt: skip
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (None, "never ran"),
        (heartbeat(NOW - timedelta(minutes=59)), None),
        (heartbeat(NOW - timedelta(minutes=61)), "longer than 60 min"),
        (heartbeat(NOW + timedelta(minutes=1)), None),
        (heartbeat(NOW + timedelta(minutes=6)), "in the future"),
        (heartbeat(NOW - timedelta(minutes=3), ScheduleOutcome.FAILED), "3 min ago: failed, health ended with 2"),
    ],
)  # fmt: skip
def test_what_a_heartbeat_tells(left: Heartbeat | None, words: str | None) -> None:
    found = trouble(left, NOW, HOUR)
    assert found is None if words is None else (found is not None and words in found)


def test_a_schedule_that_is_always_skipped_does_not_live(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    schedule, target = plan.schedules["sweep"], Target(tmp_path / "root", tmp_path / "config")
    keeper = Keeper(plan, schedule)
    keeper.prepare()
    now = datetime.now(UTC)
    keeper.ended(heartbeat(now))
    for _ in range(schedule.complain_after):
        (status,) = statuses(plan, [schedule], target)
        assert status.healthy
        assert "3 of 4 nodes reported" in status.words
        keeper.skipped(now, "busy")
    (status,) = statuses(plan, [schedule], target)
    assert (status.healthy, status.words) == (False, "it was skipped 3 times in a row")


def test_a_heartbeat_that_cannot_be_read_is_no_sign_of_life(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    keeper = Keeper(plan, plan.schedules["sweep"])
    keeper.prepare()
    keeper.heartbeat_path.write_text("{}")
    (status,) = statuses(plan, [plan.schedules["sweep"]], Target(tmp_path / "root", tmp_path / "config"))
    assert not status.healthy
    assert "no heartbeat of a schedule" in status.words


def test_a_watcher_of_the_heartbeats_alone_sees_skips(tmp_path: Path) -> None:
    (tmp_path / "beats").mkdir()
    plan = plan_of(tmp_path, top="heartbeats: beats\n")
    keeper = Keeper(plan, plan.schedules["sweep"])
    keeper.prepare()
    keeper.ended(heartbeat(datetime.now(UTC)))
    for _ in range(3):
        keeper.skipped(datetime.now(UTC), "busy")
    (plan.state / "schedules/sweep.memory").unlink()  # as for another user, who may not read it
    (status,) = statuses(plan, [plan.schedules["sweep"]], Target(tmp_path / "root", tmp_path / "config"))
    assert (status.healthy, status.skips.in_a_row) == (False, 3)


def test_the_watchers_own_age_takes_the_place_of_the_schedules(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    keeper = Keeper(plan, plan.schedules["sweep"])
    keeper.prepare()
    keeper.ended(heartbeat(datetime.now(UTC) - timedelta(minutes=20)))
    target = Target(tmp_path / "root", tmp_path / "config")
    assert statuses(plan, [plan.schedules["sweep"]], target)[0].healthy
    assert not statuses(plan, [plan.schedules["sweep"]], target, timedelta(minutes=10))[0].healthy


def test_ages_in_words() -> None:
    assert [told_age(seconds) for seconds in (0, 119, 120, 7199, 7200, 172800)] == [
        "0 s", "119 s", "2 min", "119 min", "2 h", "2 d",
    ]  # fmt: skip
