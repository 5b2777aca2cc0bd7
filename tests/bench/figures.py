"""From runs to figures: the cost of an added node, ratios within one round, medians with their extremes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.runs import Run


@dataclass(frozen=True)
class Spread:
    """The median of some values, the least and the greatest of them."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(median(values), min(values), max(values))

    def show(self, digits: int = 2) -> str:
        """`1.53 (1.49–1.60)`."""
        if math.isnan(self.middle):
            return "not measurable"
        if self.least == self.most:
            return f"{self.middle:.{digits}f}"
        return f"{self.middle:.{digits}f} ({self.least:.{digits}f}–{self.most:.{digits}f})"


@dataclass(frozen=True)
class Pair:
    """A small and a large run of one client in one round; their difference is free of what starting it costs."""

    small: Run
    large: Run

    @property
    def cpu_ms(self) -> float:
        """CPU in milliseconds for each node that the large run has more than the small one."""
        added = self.large.nodes - self.small.nodes
        return (self.large.cost.cpu_s - self.small.cost.cpu_s) * 1000 / added

    @property
    def lost(self) -> int:
        """Nodes that did not answer in either run."""
        return self.small.lost + self.large.lost


def ratios(over: Sequence[Pair], under: Sequence[Pair]) -> Spread:
    """The cost of an added node as a multiple of another client's, round by round."""
    if any(pair.cpu_ms <= 0 for pair in under):
        return Spread(math.nan, math.nan, math.nan)  # the fleets were too small: nothing but noise was measured
    return Spread.of([a.cpu_ms / b.cpu_ms for a, b in zip(over, under, strict=True)])


@dataclass(frozen=True)
class Aim:
    """Something that was aimed at: `value` must not exceed `limit`, or with `at_least` not fall below it."""

    words: str
    value: Spread
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Met, or by how much not."""
        value, limit = self.value.middle, self.limit
        if math.isnan(value):
            return ""
        good = value >= limit if self.at_least else value <= limit
        if good:
            return "met"
        return f"missed by {abs(value - limit) / limit:.0%}"

    def row(self) -> list[str]:
        """A row of the table of aims."""
        sign = "≥" if self.at_least else "≤"
        return [self.words, f"{sign} {self.limit:g} {self.unit}", f"{self.value.show()} {self.unit}", self.verdict]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in plain text too."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
             for row in (head, *rows)]  # fmt: skip
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
