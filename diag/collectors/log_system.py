"""The text logs of the system, their newest part."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, File, Keep, Volatility

LOGS = (("syslog.txt", "syslog", MIB), ("kern.txt", "kern.log", MIB), ("auth.txt", "auth.log", MIB))
COLLECTOR = Collector(
    "syslog, kern.log and auth.log",
    Volatility.LOGS,
    tuple(File(name, f"/var/log/{log}", limit, keep=Keep.NEWEST, elevate=True) for name, log, limit in LOGS),
)
