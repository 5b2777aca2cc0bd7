"""Which packets are let through."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

COLLECTOR = Collector(
    "Rules of the packet filter",
    Volatility.STATE,
    (
        Command("ruleset.txt", ("/usr/sbin/nft", "--numeric", "list", "ruleset"), limit=256 * KIB, elevate=True),
        Values("ufw.txt", "/etc", ("ufw/ufw.conf", "default/ufw"), limit=32 * KIB),
    ),
)
