"""Which core is asked by which device, and what it does then."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Volatility

COLLECTOR = Collector(
    "Interrupts, deferred work and time by core",
    Volatility.MOMENT,
    (
        File("interrupts.txt", "/proc/interrupts", limit=256 * KIB),
        File("softirqs.txt", "/proc/softirqs", limit=32 * KIB),
        File("stat.txt", "/proc/stat", limit=64 * KIB),
    ),
)
