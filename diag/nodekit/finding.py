"""What a check says: findings, readings and thresholds, as the schema `sparkctl.health/1` has them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diag.nodekit.vocabulary import Comparison, Status

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Reading:
    """One value as it was read; `unit` in UCUM, `locator` a path or a command line."""

    name: str
    value: Scalar | None
    unit: str | None = None
    locator: str | None = None


_TRIPS: dict[str, Callable[[Any, Any], bool]] = {
    Comparison.AT_LEAST: operator.ge,
    Comparison.AT_MOST: operator.le,
    Comparison.ABOVE: operator.gt,
    Comparison.BELOW: operator.lt,
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
}


@dataclass(frozen=True)
class Threshold:
    """The bounds at which a value warns or fails, and where the numbers come from."""

    comparison: str
    provenance: str
    warn: Scalar | None = None
    fail: Scalar | None = None

    def judge(self, value: Scalar) -> str:
        """The status of `value`: fail before warn before pass."""
        trips = _TRIPS[self.comparison]
        if self.fail is not None and trips(value, self.fail):
            return Status.FAIL
        if self.warn is not None and trips(value, self.warn):
            return Status.WARN
        return Status.PASS


@dataclass(frozen=True)
class Finding:
    """The judgement of one check. The runner adds the check's id and whether it is required."""

    status: str
    summary: str
    value: Scalar | None = None
    unit: str | None = None
    threshold: Threshold | None = None
    locator: str | None = None
    action: str | None = None
    reason: str | None = None
    readings: tuple[Reading, ...] = field(default=())


def judged(
    threshold: Threshold,
    value: Scalar,
    summary: str,
    *,
    action: str,
    unit: str | None = None,
    locator: str | None = None,
    readings: tuple[Reading, ...] = (),
) -> Finding:
    """A finding whose status follows from a value and a threshold; the action is kept only where it is needed."""
    status = threshold.judge(value)
    return Finding(
        status=status,
        summary=summary,
        value=value,
        unit=unit,
        threshold=threshold,
        locator=locator,
        action=None if status == Status.PASS else action,
        readings=readings,
    )
