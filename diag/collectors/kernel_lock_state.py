"""What lockdep and the clock sources say; most kernels keep no lock statistics."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

COLLECTOR = Collector(
    "Lock statistics and clock sources",
    Volatility.BOOT,
    (
        File("lockdep.txt", "/proc/lockdep_stats", limit=16 * KIB),
        File("locks_held.txt", "/proc/lock_stat", limit=128 * KIB),
        Values(
            "clock_sources.txt", "/sys/devices/system/clocksource", ("*/current_clocksource", "*/available_clocksource")
        ),
    ),
)
