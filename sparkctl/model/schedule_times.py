"""When a schedule is due: starts in a week of UTC, which knows no daylight saving."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))

PERIODS = {"5m": 5, "10m": 10, "15m": 15, "20m": 20, "30m": 30}
PERIODS |= {f"{hours}h": hours * 60 for hours in (1, 2, 3, 4, 6, 8, 12, 24)}
"""Periods in minutes by how they are written; each divides an hour or a day, so that starts do not wander."""

# All zones of today are whole quarters of an hour from UTC.
_ZONE_STEPS = (0, 15, 30, 45)


@dataclass(frozen=True, slots=True)
class Times:
    """Starts of a schedule: minutes of the UTC day, on days of the week (0 is Monday).

    `words` says it to people, `calendar` to systemd (`OnCalendar=`).
    """

    minutes: tuple[int, ...]
    days: frozenset[int]
    words: str
    calendar: tuple[str, ...]

    def latest(self, now: datetime) -> datetime:
        """The newest start at or before `now`."""
        week, starts = _week_of(now), self._starts()
        passed = bisect_right(starts, int((now - week).total_seconds() // 60))
        if passed:
            return week + timedelta(minutes=starts[passed - 1])
        return week + timedelta(minutes=starts[-1] - WEEK_MINUTES)

    def following(self, now: datetime, count: int) -> list[datetime]:
        """The next `count` starts after `now`."""
        week, starts = _week_of(now), self._starts()
        passed = bisect_right(starts, int((now - week).total_seconds() // 60))
        places = (divmod(place, len(starts)) for place in range(passed, passed + count))
        return [week + timedelta(minutes=starts[index] + weeks * WEEK_MINUTES) for weeks, index in places]

    @property
    def gaps_s(self) -> tuple[int, int]:
        """The shortest and the longest time between two starts, in seconds."""
        starts = self._starts()
        gaps = [after - before for before, after in zip(starts, [*starts[1:], starts[0] + WEEK_MINUTES], strict=True)]
        return min(gaps) * 60, max(gaps) * 60

    @property
    def minutes_of_hours(self) -> tuple[int, ...]:
        """The minutes of an hour at which a start may come, whatever whole quarters of an hour a clock is from UTC."""
        return tuple(sorted({(minute + step) % 60 for minute in self.minutes for step in _ZONE_STEPS}))

    def _starts(self) -> list[int]:
        return [day * DAY_MINUTES + minute for day in sorted(self.days) for minute in self.minutes]


def every(period: str) -> Times:
    """Starts at every multiple of a period of PERIODS since midnight."""
    step = PERIODS[period]
    time = f"*:00/{step}:00" if step < 60 else f"00/{step // 60}:00:00"
    calendar = "*-*-* 00:00:00 UTC" if step == DAY_MINUTES else f"*-*-* {time} UTC"
    return Times(tuple(range(0, DAY_MINUTES, step)), EVERY_DAY, f"every {period}", (calendar,))


def at(minutes: set[int], days: frozenset[int]) -> Times:
    """Starts at minutes of the day, on some days of the week."""
    told = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in sorted(minutes)]
    names = [DAY_NAMES[day] for day in sorted(days)]
    prefix = "" if days == EVERY_DAY else ",".join(name.title() for name in names) + " "
    on = "" if days == EVERY_DAY else f" on {', '.join(names)}"
    calendar = tuple(f"{prefix}*-*-* {time}:00 UTC" for time in told)
    return Times(tuple(sorted(minutes)), days, f"at {', '.join(told)} UTC{on}", calendar)


def _week_of(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=moment.weekday())
