"""Which cores there are."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Kind, Volatility

COLLECTOR = Collector(
    "Processors: cores, caches, features",
    Volatility.FIXED,
    (
        File("cpuinfo.txt", "/proc/cpuinfo", 64 * KIB),
        Command("lscpu.json", ("lscpu", "-J"), 3.0, 32 * KIB, Kind.JSON),
        Command("cores.txt", ("lscpu", "--all", "--extended"), 3.0, 32 * KIB),
    ),
)
