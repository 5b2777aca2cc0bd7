"""Which certificates the owner of the machine added: names only."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Certificates that were added, by name",
    Volatility.STATE,
    (
        Command("added.txt", ("find", "/usr/local/share/ca-certificates", "-ls"), limit=64 * KIB),
        Command("in_use.txt", ("ls", "-l", "/etc/ssl/certs"), limit=64 * KIB),
    ),
)
