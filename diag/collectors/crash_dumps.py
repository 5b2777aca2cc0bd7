"""What kdump and apport left in /var/crash: the names of all, the text of small ones."""

from __future__ import annotations

from diag.nodekit.collector import KIB, MIB, Collector, Command, Volatility

TEXTS = (
    "/usr/bin/find", "/var/crash", "-mindepth", "2", "-maxdepth", "2", "-type", "f", "-uid", "0", "-size", "-4096k",
    "-exec", "/usr/bin/tail", "-v", "-n", "2000", "{}", "+",
)  # fmt: skip
COLLECTOR = Collector(
    "Crash dumps: a list of them, and their kernel messages",
    Volatility.LOGS,
    (
        Command("files.txt", ("find", "/var/crash", "-maxdepth", "2", "-ls"), limit=64 * KIB),
        Command("messages.txt", TEXTS, limit=MIB, elevate=True),
    ),
)
