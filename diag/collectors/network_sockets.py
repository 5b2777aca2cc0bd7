"""Who listens, who is connected, and what waits in buffers."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Volatility

COLLECTOR = Collector(
    "Sockets, by number only",
    Volatility.MOMENT,
    (
        Command("listening.txt", ("/usr/bin/ss", "-H", "-lntup"), limit=128 * KIB, elevate=True),
        Command("connected.txt", ("ss", "-H", "-O", "-a", "-n", "-t", "-u", "-m", "-i"), limit=256 * KIB),
        File("sockets_in_use.txt", "/proc/net/sockstat", limit=4 * KIB),
    ),
)
