"""All that the driver tells of the GPU."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "The GPU as nvidia-smi describes it: clocks, limits, events, errors",
    Volatility.MOMENT,
    (
        Command("query.txt", ("nvidia-smi", "-q"), seconds=8.0, limit=256 * KIB),
        Command("table.txt", ("nvidia-smi",), limit=64 * KIB),
    ),
)
