"""What the machine waits for: processors, memory and storage, as a whole and by slice."""

from __future__ import annotations

from diag.nodekit.collector import Collector, Values, Volatility

COLLECTOR = Collector(
    "Pressure, load and run time",
    Volatility.MOMENT,
    (
        Values("pressure.txt", "/proc", ("loadavg", "uptime", "pressure/*")),
        Values("slices.txt", "/sys/fs/cgroup", ("*/cpu.pressure", "*/io.pressure", "*/memory.pressure")),
    ),
)
