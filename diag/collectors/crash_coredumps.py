"""Which programs crashed; the dumps themselves stay where they are."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "List of core dumps",
    Volatility.LOGS,
    (Command("coredumps.txt", ("coredumpctl", "list", "--no-pager", "--quiet"), limit=128 * KIB, nothing=(1,)),),
)
