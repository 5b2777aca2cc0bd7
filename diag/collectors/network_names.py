"""How names are found."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

FILES = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf", "etc/hosts", "etc/hostname", "etc/nsswitch.conf")
COLLECTOR = Collector(
    "Resolver and names of hosts",
    Volatility.STATE,
    (
        Values("files.txt", "", FILES),
        Command("resolver.txt", ("resolvectl", "status", "--no-pager"), limit=32 * KIB),
    ),
)
