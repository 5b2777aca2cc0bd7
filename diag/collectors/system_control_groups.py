"""What each slice and service may use, uses, and was refused."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Values, Volatility

FILES = (
    "memory.current",
    "memory.max",
    "memory.high",
    "memory.events",
    "cpu.max",
    "cpu.stat",
    "pids.current",
    "pids.max",
)
COLLECTOR = Collector(
    "Limits and use of the control groups",
    Volatility.MOMENT,
    (
        Values(
            "control_groups.txt",
            "/sys/fs/cgroup",
            tuple(f"{depth}{file}" for depth in ("*/", "system.slice/*/") for file in FILES),
            limit=512 * KIB,
            seconds=5.0,
        ),
    ),
)
