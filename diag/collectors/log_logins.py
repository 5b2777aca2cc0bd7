"""Starts, shutdowns and sign-ins, and those that failed."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Sign-ins, starts and failed attempts",
    Volatility.LOGS,
    (
        Command("logins.txt", ("last", "-x", "-w", "-F", "-i", "-n", "1000"), limit=128 * KIB),
        Command("failed_logins.txt", ("/usr/bin/lastb", "-w", "-F", "-i", "-n", "500"), limit=64 * KIB, elevate=True),
    ),
)
