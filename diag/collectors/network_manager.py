"""How the network is set up; keys of wireless networks stand in these files and must be redacted."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility, whole_files

COLLECTOR = Collector(
    "netplan, NetworkManager and their connections",
    Volatility.STATE,
    (
        Command("netplan.txt", whole_files("/etc/netplan"), limit=64 * KIB, elevate=True),
        Command(
            "connections.txt", whole_files("/etc/NetworkManager/system-connections"), limit=128 * KIB, elevate=True
        ),
        Command("devices.txt", ("nmcli", "--terse", "device", "show"), limit=64 * KIB),
        Command("active.txt", ("nmcli", "--terse", "connection", "show"), limit=64 * KIB),
    ),
)
