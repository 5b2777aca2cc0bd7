"""What each interface carried, lost and dropped."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Kind, Volatility

COLLECTOR = Collector(
    "Counters of interfaces and protocols",
    Volatility.MOMENT,
    (
        Command("interfaces.json", ("ip", "-j", "-s", "-s", "link", "show"), limit=256 * KIB, kind=Kind.JSON),
        File("protocols.txt", "/proc/net/netstat", limit=16 * KIB),
        File("snmp.txt", "/proc/net/snmp", limit=16 * KIB),
        File("softnet.txt", "/proc/net/softnet_stat", limit=16 * KIB),
    ),
)
