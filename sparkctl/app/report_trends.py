"""Readings of checks over time: few moments, evenly spread, and no value where nobody looked."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from pydantic_core import from_json

from sparkctl.model.fleet_page import Band, Trend, TrendLine
from sparkctl.model.health import Threshold
from sparkctl.model.node_page import Series
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store

TRENDS: dict[str, str] = {
    "gpu.temperature": "GPU temperature",
    "nvme.temperature": "Drive temperature",
    "nvme.wear": "Rated life of the drive that is used",
    "memory.pressure": "Time that all work waited for memory, last minute",
}
"""The checks whose values are shown over time, and what people call them; of each, more is worse."""

MOST_MOMENTS, FEWEST_MOMENTS, MOST_RECORDS = 48, 4, 12_000
"""Moments that are shown, and records that are read for all nodes together, which decides how many it are."""
FEW_NODES, MOST_NAMED = 6, 6
_FENCE = 1.5  # Tukey's: so many widths of the middle half beyond it, a value stands out


@dataclass
class Trends:
    """Values by check and node, one for each moment."""

    moments: list[datetime] = field(default_factory=list)
    _points: dict[str, dict[str, list[float | None]]] = field(default_factory=lambda: {check: {} for check in TRENDS})
    _units: dict[str, str] = field(default_factory=dict)
    _bounds: dict[str, Threshold] = field(default_factory=dict)

    def note(self, node: str, moment: int, findings: Sequence[Mapping[str, Any]]) -> None:
        """Take the values out of the findings of one answer."""
        for one in findings:
            check, value = one.get("check"), one.get("value")
            if check in TRENDS and isinstance(value, int | float) and not isinstance(value, bool):
                points = self._points[check].setdefault(node, [None] * len(self.moments))
                points[moment] = float(value)
                if unit := one.get("unit"):
                    self._units[check] = unit
                if check not in self._bounds and (bound := one.get("threshold")):
                    self._bounds[check] = Threshold.model_validate(bound, strict=False)

    def series(self, node: str) -> list[Series]:
        """What is known of one node."""
        return [
            Series(check=check, unit=self._units.get(check), points=points[node])
            for check, points in self._points.items()
            if node in points
        ]

    def told(self) -> list[Trend]:
        """The same over all nodes; checks of which nobody has a value are left out."""
        return [self._trend(check, points) for check, points in self._points.items() if points]

    def _trend(self, check: str, points: Mapping[str, Sequence[float | None]]) -> Trend:
        columns = [[each[at] for each in points.values()] for at in range(len(self.moments))]
        present = [[value for value in column if value is not None] for column in columns]
        threshold = self._bounds.get(check)
        return Trend(
            check=check,
            title=TRENDS[check],
            unit=self._units.get(check),
            threshold=threshold,
            nodes=len(points),
            readings=sum(map(len, present)),
            bands=[_band(values) if values else None for values in present],
            named=list(self._named(points, threshold)),
        )

    def _named(self, points: Mapping[str, Sequence[float | None]], bound: Threshold | None) -> Iterator[TrendLine]:
        """All of few nodes; of many, those whose newest value stands out or is beyond a bound, the worst first."""
        newest = {node: _newest(each) for node, each in points.items()}
        ranked = sorted(newest, key=lambda node: newest[node][1], reverse=True)
        if len(ranked) > FEW_NODES:
            limit = min(_fence([value for _, value in newest.values()]), _first_bound(bound))
            ranked = [node for node in ranked if newest[node][1] > limit][:MOST_NAMED]
        for node in ranked:
            at, value = newest[node]
            yield TrendLine(node=node, latest=value, latest_at=self.moments[at], points=list(points[node]))


def _newest(points: Sequence[float | None]) -> tuple[int, float]:
    return next((at, value) for at, value in reversed([*enumerate(points)]) if value is not None)


def _fence(values: Sequence[float]) -> float:
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return upper + _FENCE * (upper - lower)


def _first_bound(threshold: Threshold | None) -> float:
    bounds = (threshold.warn, threshold.fail) if threshold else ()
    numbers = [float(one) for one in bounds if isinstance(one, int | float) and not isinstance(one, bool)]
    return min(numbers, default=float("inf"))


def _band(values: Sequence[float]) -> Band:
    if len(values) == 1:
        return Band(nodes=1, least=values[0], lower=values[0], middle=values[0], upper=values[0], most=values[0])
    tenths = quantiles(values, n=10, method="inclusive")
    return Band(
        nodes=len(values), least=min(values), lower=tenths[0], middle=tenths[4], upper=tenths[8], most=max(values)
    )


def fleet_trends(store: Store, names: Sequence[str], since: datetime) -> Trends:
    """Read values of the named nodes since a moment, from as many records as `MOST_RECORDS` allows."""
    runs = store.runs_with_records(RunKind.HEALTH, since)
    groups = list(_groups(runs, len(names)))
    trends = Trends(moments=[moment for moment, _ in groups])
    for at, (_, numbers) in enumerate(groups):
        visits = {visit.record: node for node, visit in store.visits_of_runs(names, numbers)}
        for number, text in store.record_texts(visits):
            envelope = from_json(text).get("envelope") or {}
            trends.note(visits[number], at, (envelope.get("data") or {}).get("findings", ()))
    return trends


def _groups(runs: Sequence[tuple[int, datetime, int]], nodes: int) -> Iterator[tuple[datetime, list[int]]]:
    """Moments with the runs around each, oldest first: no more moments than runs of the whole fleet would make."""
    if not runs or not nodes:
        return
    whole = round(sum(records for _, _, records in runs) / nodes)
    most = max(FEWEST_MOMENTS, min(MOST_MOMENTS, MOST_RECORDS // nodes))
    moments = max(1, min(most, whole))
    first, last = runs[0][1], runs[-1][1]
    if moments == 1 or first == last:
        yield last, [number for number, _, _ in runs]
        return
    width = (last - first) / (moments - 1)
    edges = [first + width * (at + 0.5) for at in range(moments - 1)]
    found: list[list[int]] = [[] for _ in range(moments)]
    for number, at, _ in runs:
        found[bisect_right(edges, at)].append(number)
    for place, numbers in enumerate(found):
        yield _whole_second(first + width * place), numbers


def _whole_second(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond)
