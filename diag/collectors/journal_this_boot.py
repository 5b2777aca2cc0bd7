"""The journal of the running boot, newest first: reading stops at the limit, however long the journal is."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Kind, Volatility

NEWEST = ("/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--boot=0", "--reverse")

COLLECTOR = Collector(
    "Journal of this boot, its newest entries",
    Volatility.LOGS,
    (Command("this_boot.json", NEWEST, 10.0, 5 * MIB, Kind.JOURNAL, elevate=True, plain=True),),
)
