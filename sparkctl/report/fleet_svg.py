"""Pictures of values over time as paths: bands over a fleet, a line for a node; nothing where nothing was read.

Shapes only: they stretch with the page, and words stand beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from sparkctl.model.fleet_page import Trend
from sparkctl.model.health import Scalar

WIDTH, HEIGHT = 600, 120
LINE_WIDTH, LINE_HEIGHT = 120, 24
_NEAR = 0.8  # a bound is drawn from this share of it on
ValueT = TypeVar("ValueT")
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of bands: the whole range, the middle eight tenths, the middle, and values of single moments.

    `bounds` are heights with the word for what is beyond. `low` and `high` are what the picture reaches from and to.
    """

    outer: str
    inner: str
    middle: str
    alone: str
    bounds: list[tuple[int, str, float]]
    low: float
    high: float


def chart(trend: Trend, moments: Sequence[datetime]) -> Chart:
    """Draw a trend over all moments of the report."""
    bands = [band for band in trend.bands if band is not None]
    low, high = min(band.least for band in bands), max(band.most for band in bands)
    limits = [(word, bound) for word, bound in _bounds(trend) if high >= _NEAR * bound]
    low, high = min([low, *(bound for _, bound in limits)]), max([high, *(bound for _, bound in limits)])
    if low == high:
        low, high = (max(low - 1, 0.0) if low >= 0 else low - 1), high + 1
    xs = places(moments, WIDTH)

    def y(value: float) -> int:
        return round(HEIGHT - 2 - (value - low) / (high - low) * (HEIGHT - 4))

    outer, inner, middle, alone = "", "", "", ""
    for run in runs(list(zip(xs, trend.bands, strict=True))):
        if len(run) == 1:
            at, band = run[0]
            alone += f"M{at} {y(band.middle)}h0"
            middle += f"M{at} {y(band.least)}V{y(band.most)}"
            continue
        outer += _area([(at, y(one.most)) for at, one in run], [(at, y(one.least)) for at, one in run])
        inner += _area([(at, y(one.upper)) for at, one in run], [(at, y(one.lower)) for at, one in run])
        middle += _line([(at, y(one.middle)) for at, one in run])
    return Chart(outer, inner, middle, alone, [(y(bound), word, bound) for word, bound in limits], low, high)


def _bounds(trend: Trend) -> Iterator[tuple[str, float]]:
    bound = trend.threshold
    for word, value in (("fails", bound.fail), ("warns", bound.warn)) if bound else ():
        number: Scalar | None = value
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield word, float(number)


def places(moments: Sequence[datetime], width: int) -> list[int]:
    """Where moments stand from left to right; a single one in the middle."""
    span = (moments[-1] - moments[0]).total_seconds() if moments else 0.0
    if not span:
        return [width // 2 for _ in moments]
    return [round(3 + (at - moments[0]).total_seconds() / span * (width - 6)) for at in moments]


def runs(points: Sequence[tuple[int, ValueT | None]]) -> Iterator[list[tuple[int, ValueT]]]:
    """Stretches without a gap."""
    for there, stretch in groupby(points, key=lambda point: point[1] is not None):
        if there:
            yield [(at, value) for at, value in stretch if value is not None]


@dataclass(frozen=True, slots=True)
class Line:
    """One node over time: a path, the values it reaches from and to, the newest, and how many there are."""

    path: str
    low: float
    high: float
    latest: float
    readings: int


def line(points: Sequence[float | None]) -> Line | None:
    """Draw the values of one node, evenly spaced as the moments are; None where there is no value."""
    values = [value for value in points if value is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = (LINE_WIDTH - 4) / (len(points) - 1) if len(points) > 1 else 0.0

    def y(value: float) -> int:
        return round(LINE_HEIGHT - 3 - (value - low) / span * (LINE_HEIGHT - 6)) if high > low else LINE_HEIGHT // 2

    xs = [round(2 + at * step) if step else LINE_WIDTH // 2 for at in range(len(points))]
    path = "".join(
        _line([(at, y(value)) for at, value in run]) if len(run) > 1 else f"M{run[0][0]} {y(run[0][1])}h0"
        for run in runs(list(zip(xs, points, strict=True)))
    )
    return Line(path, low, high, values[-1], len(values))


def _line(points: Sequence[Point]) -> str:
    """A path from point to point; relative steps are shorter than places."""
    (x, y), path = points[0], [f"M{points[0][0]} {points[0][1]}"]
    for here, there in points[1:]:
        path.append(f"l{here - x} {there - y}")
        x, y = here, there
    return "".join(path)


def _area(upper: Sequence[Point], lower: Sequence[Point]) -> str:
    return _line([*upper, *reversed(lower)]) + "z"


def span_on(since: datetime, until: datetime, start: datetime | None, end: datetime | None) -> tuple[int, int] | None:
    """From where to where a span of time lies between two moments; None where neither end of it is known."""
    whole = (until - since).total_seconds() or 1.0
    known = [at for at in (start, end) if at is not None]
    if not known or known[0] > known[-1]:
        return None
    places_of = [max(0.0, min(1.0, (at - since).total_seconds() / whole)) for at in (known[0], known[-1])]
    return round(places_of[0] * WIDTH), round(places_of[1] * WIDTH)
