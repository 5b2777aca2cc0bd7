"""Who is signed in, from where."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Sessions of users",
    Volatility.MOMENT,
    (
        Command("who.txt", ("w", "-i"), limit=32 * KIB),
        Command("sessions.txt", ("loginctl", "list-sessions", "--no-pager"), limit=32 * KIB),
    ),
)
