"""Starts are told in UTC, whatever a host's clock on the wall does."""

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.model.schedule_times import DAY_NAMES, EVERY_DAY, PERIODS, Times, at, every

MOMENTS = st.integers(1_577_836_800, 2_208_988_800).map(lambda stamp: datetime.fromtimestamp(stamp, UTC))
TIMES = st.one_of(
    st.sampled_from(sorted(PERIODS)).map(every),
    st.builds(
        at,
        st.sets(st.integers(0, 1439), min_size=1, max_size=4),
        st.frozensets(st.integers(0, 6), min_size=1),
    ),
)


@settings(deadline=None)
@given(TIMES, MOMENTS)
def test_the_latest_start_is_the_last_one_before(times: Times, now: datetime) -> None:
    latest = times.latest(now)
    first, second = times.following(now, 2)
    assert latest <= now < first < second
    assert times.following(latest, 2) == [first, second]
    assert times.latest(first) == first
    shortest, longest = times.gaps_s
    assert shortest <= (first - latest).total_seconds() <= longest
    assert first.hour * 60 + first.minute in times.minutes
    assert first.weekday() in times.days


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])
@pytest.mark.parametrize(
    "times", [every("5m"), every("20m"), every("6h"), at({190}, EVERY_DAY), at({1439}, frozenset({0}))]
)
def test_a_clock_of_any_zone_shows_every_start_at_a_minute_that_cron_is_told(times: Times, zone: str) -> None:
    if zone not in available_timezones():
        pytest.skip(f"no zone {zone} here: install tzdata")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(400):
        (now,) = times.following(now, 1)
        assert now.astimezone(ZoneInfo(zone)).minute in times.minutes_of_hours
    assert len(times.minutes_of_hours) <= 4 * len(times.minutes)


def test_daylight_saving_neither_loses_nor_repeats_a_start() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for change in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        starts = at({150}, EVERY_DAY).following(change, 4)  # 02:30: it does not exist, or exists twice, on that wall
        assert [after - before for before, after in pairwise(starts)] == [timedelta(days=1)] * 3
        assert len({start.astimezone(berlin).utcoffset() for start in starts}) == 2


@pytest.mark.parametrize("times", [*map(every, PERIODS), at({190, 1150}, EVERY_DAY), at({0}, frozenset({0, 3, 6}))])
def test_systemd_has_the_same_starts(times: Times) -> None:
    """Each expression is read by the real systemd-analyze."""
    now = datetime(2026, 10, 24, 22, 50, 30, tzinfo=UTC)
    found = set()
    for calendar in times.calendar:
        try:
            ran = subprocess.run(
                ["systemd-analyze", "calendar", "--iterations=6", f"--base-time={now:%Y-%m-%d %H:%M:%S} UTC", calendar],
                capture_output=True, text=True, check=False, env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            )  # fmt: skip
        except FileNotFoundError:
            pytest.skip("no systemd-analyze here: install systemd")
        assert ran.returncode == 0, ran.stderr
        for line in ran.stdout.splitlines():
            if line.strip().startswith(("Next elapse:", "Iter")):
                found.add(datetime.strptime(line.split(": ", 1)[1], "%a %Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC))
    assert sorted(found)[:6] == times.following(now, 6)


def test_words() -> None:
    assert every("15m").words == "every 15m"
    assert at({190, 5}, frozenset({0, 6})).words == "at 00:05, 03:10 UTC on mon, sun"
    assert DAY_NAMES[datetime(2026, 11, 30, tzinfo=UTC).weekday()] == "mon"
