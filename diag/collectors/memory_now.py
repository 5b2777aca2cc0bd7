"""Where the memory is at this moment: one memory for processors and GPU."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Volatility

COLLECTOR = Collector(
    "Memory by use, zone, size of block and kernel cache",
    Volatility.MOMENT,
    (
        File("meminfo.txt", "/proc/meminfo", limit=16 * KIB),
        File("vmstat.txt", "/proc/vmstat", limit=32 * KIB),
        File("zoneinfo.txt", "/proc/zoneinfo", limit=128 * KIB),
        File("buddyinfo.txt", "/proc/buddyinfo", limit=16 * KIB),
        File("swaps.txt", "/proc/swaps", limit=16 * KIB),
        File("slabinfo.txt", "/proc/slabinfo", limit=64 * KIB, elevate=True),
        File("pagetypeinfo.txt", "/proc/pagetypeinfo", limit=32 * KIB, elevate=True),
    ),
)
