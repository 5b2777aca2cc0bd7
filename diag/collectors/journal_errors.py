"""Errors of all boots that the journal still holds, newest first."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Kind, Volatility

ERRORS = (
    "/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--priority=err", "--lines=2000", "--reverse",
)  # fmt: skip
COLLECTOR = Collector(
    "The newest 2000 errors of all boots",
    Volatility.LOGS,
    (Command("errors.json", ERRORS, 8.0, MIB, Kind.JOURNAL, elevate=True, plain=True),),
)
