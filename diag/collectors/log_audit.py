"""What the audit daemon wrote, where one runs."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, File, Keep, Volatility

COLLECTOR = Collector(
    "Log of the audit daemon",
    Volatility.LOGS,
    (File("audit.txt", "/var/log/audit/audit.log", MIB, keep=Keep.NEWEST, elevate=True),),
)
