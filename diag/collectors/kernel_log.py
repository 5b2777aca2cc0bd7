"""The kernel's own log: what is still in its ring."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Keep, Volatility

COLLECTOR = Collector(
    "The kernel's log, as far as its ring reaches",
    Volatility.BOOT,
    (Command("dmesg.txt", ("/usr/bin/dmesg", "--time-format=iso"), limit=MIB, keep=Keep.NEWEST, elevate=True),),
)
