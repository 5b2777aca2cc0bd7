"""How schedules stand: when they are due, where they are installed, how they went, and whether they live."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sparkctl.app.schedule_install import Found, Target, installed
from sparkctl.app.schedule_judge import summary
from sparkctl.app.schedule_memory import Keeper
from sparkctl.app.schedule_run import host_name, splay_of
from sparkctl.errors import UsageError
from sparkctl.model.durations import told_age
from sparkctl.model.printable import clip, printable
from sparkctl.model.schedule import Heartbeat, Schedule, ScheduleOutcome, SchedulePlan, ScheduleStatus, Skips

NEXT = 3
_CLOCKS_DIFFER = timedelta(minutes=5)


def statuses(
    plan: SchedulePlan, schedules: Sequence[Schedule], target: Target, max_age: timedelta | None = None
) -> list[ScheduleStatus]:
    """The state of each of these schedules; `max_age` takes the place of their own."""
    files = installed(target)
    now = datetime.now(UTC)
    return [_status(plan, schedule, files, now, max_age) for schedule in schedules]


def _status(
    plan: SchedulePlan, schedule: Schedule, files: Iterable[Found], now: datetime, max_age: timedelta | None
) -> ScheduleStatus:
    keeper, host = Keeper(plan, schedule), host_name()
    limit = max_age or timedelta(seconds=schedule.max_age_s)
    heartbeat, skips = None, keeper.skips() or Skips()
    try:
        heartbeat = keeper.heartbeat()
        skips = keeper.skips() or (heartbeat.skips if heartbeat else skips)
        wrong = trouble(heartbeat, now, limit) or _too_many_skips(schedule, skips.in_a_row)
        words = wrong or _well(heartbeat, now)
    except UsageError as error:
        wrong = words = error.message
    splay = splay_of(schedule, host)
    return ScheduleStatus(
        name=schedule.name,
        host=host,
        run=schedule.run,
        selector=clip(schedule.selection),
        when=schedule.times.words,
        splay_s=splay,
        deadline_s=schedule.deadline_s,
        max_age_s=round(limit.total_seconds()),
        next_starts=[start + timedelta(seconds=splay) for start in schedule.times.following(now, NEXT)],
        installed=[printable(str(one.path), 1000) for one in files if one.mark.name == schedule.name],
        age_s=_age_s(heartbeat, now),
        skips=skips,
        heartbeat=heartbeat,
        healthy=wrong is None,
        words=clip(words),
    )


def trouble(heartbeat: Heartbeat | None, now: datetime, max_age: timedelta) -> str | None:
    """What is wrong with a schedule that left this heartbeat, None when nothing is."""
    if heartbeat is None:
        return "it never ran to an end: there is no heartbeat"
    if heartbeat.finished_at > now + _CLOCKS_DIFFER:
        return f"its last run ended in the future, at {heartbeat.finished_at:%Y-%m-%d %H:%M:%S} UTC: see to the clocks"
    if heartbeat.outcome is ScheduleOutcome.FAILED:
        return f"its last run, {_ago(heartbeat.finished_at, now)}: {summary(heartbeat)}"
    done = heartbeat.last_done_at or heartbeat.finished_at
    if now - done > max_age:
        limit = told_age(max_age.total_seconds())
        return f"its last run was done {_ago(done, now)}, longer than {limit}"
    return None


def _too_many_skips(schedule: Schedule, in_a_row: int) -> str | None:
    return f"it was skipped {in_a_row} times in a row" if in_a_row >= schedule.complain_after else None


def _well(heartbeat: Heartbeat | None, now: datetime) -> str:
    return f"{_ago(heartbeat.finished_at, now)}: {summary(heartbeat)}" if heartbeat else ""


def _ago(moment: datetime, now: datetime) -> str:
    return f"{told_age(max((now - moment).total_seconds(), 0))} ago"


def _age_s(heartbeat: Heartbeat | None, now: datetime) -> int | None:
    if heartbeat is None or heartbeat.last_done_at is None:
        return None
    return max(int((now - heartbeat.last_done_at).total_seconds()), 0)
