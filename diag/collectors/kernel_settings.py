"""Every setting of the running kernel that an ordinary user may read: the others hold keys."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Settings of the running kernel (sysctl)",
    Volatility.BOOT,
    (Command("sysctl.txt", ("/usr/sbin/sysctl", "--all"), limit=256 * KIB),),
)
