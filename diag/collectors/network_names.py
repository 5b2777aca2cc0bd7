"""How names are found."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Values, Volatility

RESOLVED = "/run/systemd/resolve/resolv.conf"
COLLECTOR = Collector(
    "Resolver and names of hosts",
    Volatility.STATE,
    (
        Values("names.txt", "/etc", ("resolv.conf", "hosts", "hostname", "nsswitch.conf"), limit=64 * KIB),
        File("resolved.txt", RESOLVED, limit=16 * KIB),
        Command("resolver.txt", ("resolvectl", "status", "--no-pager"), limit=32 * KIB),
    ),
)
