"""Pictures of values over time: everything stays in the picture, and nothing is drawn through what is missing."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sparkctl.app.report_trends import Trends
from sparkctl.report.fleet_svg import HEIGHT, LINE_HEIGHT, LINE_WIDTH, WIDTH, chart, line, runs, span_on

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
_values = st.floats(-1e9, 1e9, allow_nan=False) | st.none()
_STEP = re.compile(r"([MlhVz])(-?\d+)?(?: (-?\d+))?")


def points_of(path: str) -> list[tuple[int, int]]:
    """The places that a path comes to."""
    x = y = 0
    found = []
    for kind, one, two in _STEP.findall(path):
        if kind == "M":
            x, y = int(one), int(two)
        elif kind == "l":
            x, y = x + int(one), y + int(two)
        elif kind == "V":
            y = int(one)
        found.append((x, y))
    return found


@settings(max_examples=50, deadline=None)
@given(st.lists(_values, min_size=1, max_size=48))
def test_a_line_has_a_stroke_for_each_stretch_and_stays_inside(points: list[float | None]) -> None:
    drawn = line(points)
    values = [value for value in points if value is not None]
    if not values:
        assert drawn is None
        return
    assert drawn is not None
    assert (drawn.low, drawn.high, drawn.latest, drawn.readings) == (min(values), max(values), values[-1], len(values))
    assert drawn.path.count("M") == len(list(runs(list(enumerate(points)))))
    assert all(0 <= x <= LINE_WIDTH and 0 <= y <= LINE_HEIGHT for x, y in points_of(drawn.path))


@settings(max_examples=50, deadline=None)
@example([[None, 1e8 + 1, None, 1e8 + 2]])  # all are beyond the bound
@given(st.lists(st.lists(_values, min_size=4, max_size=4), min_size=1, max_size=8))
def test_bands_stay_inside_and_break_where_nobody_looked(nodes: list[list[float | None]]) -> None:
    trends = Trends(moments=[NOON + timedelta(hours=at) for at in range(4)])
    for place, points in enumerate(nodes):
        for at, value in enumerate(points):
            threshold = {"comparison": "ge", "warn": 1e8, "fail": None, "provenance": "a test"}
            trends.note(f"n{place}", at, [{"check": "gpu.temperature", "value": value, "threshold": threshold}])
    for trend in trends.told():
        drawn = chart(trend, trends.moments)
        stretches = list(runs(list(enumerate(trend.bands))))
        assert drawn.outer.count("M") == sum(1 for stretch in stretches if len(stretch) > 1)
        assert drawn.alone.count("M") == sum(1 for stretch in stretches if len(stretch) == 1)
        for path in (drawn.outer, drawn.inner, drawn.middle, drawn.alone):
            assert all(0 <= x <= WIDTH and -1 <= y <= HEIGHT + 1 for x, y in points_of(path))
        assert all(0 <= y <= HEIGHT for y, _, _ in drawn.bounds)


def test_a_span_lies_where_its_moments_are_and_nowhere_when_they_contradict_each_other() -> None:
    start, hour = NOON - timedelta(hours=10), timedelta(hours=1)
    assert span_on(start, NOON, start + 5 * hour, start + 6 * hour) == (300, 360)
    assert span_on(start, NOON, None, start + 5 * hour) == (300, 300)
    assert span_on(start, NOON, start - 5 * hour, NOON + hour) == (0, 600)
    assert span_on(start, NOON, None, None) is None
    assert span_on(start, NOON, NOON, start) is None


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.0, 0.0, 1.0), (0.5, 0.0, 1.5), (40.0, 39.0, 41.0), (-3.0, -4.0, -2.0)]
)
def test_where_all_values_are_one_the_picture_reaches_no_further_below_nothing(
    value: float, low: float, high: float
) -> None:
    trends = Trends(moments=[NOON])
    trends.note("n0", 0, [{"check": "nvme.wear", "value": value}])
    (trend,) = trends.told()
    drawn = chart(trend, trends.moments)
    assert (drawn.low, drawn.high) == (low, high)
