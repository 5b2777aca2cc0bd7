"""How long the start took, and what held it up."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Time of the start by unit, and its longest chain",
    Volatility.BOOT,
    (
        Command("boot_time.txt", ("systemd-analyze", "time"), limit=4 * KIB),
        Command("boot_blame.txt", ("systemd-analyze", "blame", "--no-pager"), limit=64 * KIB),
        Command("boot_chain.txt", ("systemd-analyze", "critical-chain", "--no-pager"), limit=64 * KIB),
    ),
)
