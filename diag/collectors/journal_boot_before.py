"""How the boot before ended, newest first."""

from __future__ import annotations

from diag.nodekit.collector import KIB, MIB, Collector, Command, Kind, Volatility

BEFORE = ("/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--boot=-1", "--reverse")
BOOTS = ("/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--list-boots")

COLLECTOR = Collector(
    "Journal of the boot before, its newest entries, and the list of boots",
    Volatility.LOGS,
    (
        Command("boot_before.json", BEFORE, 8.0, 2 * MIB, Kind.JOURNAL, elevate=True, plain=True, nothing=(1,)),
        Command("boots.json", BOOTS, limit=256 * KIB, kind=Kind.JSON, elevate=True, plain=True),
    ),
)
