"""The wireless link, and what switches radios off."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

COLLECTOR = Collector(
    "Wireless link, regulatory domain and radio switches",
    Volatility.STATE,
    (
        Command("wireless.txt", ("iw", "dev"), limit=32 * KIB),
        Command("wireless_link.txt", ("iw", "dev", "wlP9s9", "link"), limit=16 * KIB),
        Command("regulatory.txt", ("iw", "reg", "get"), limit=32 * KIB),
        Values("radios.txt", "/sys/class/rfkill", ("*/name", "*/type", "*/soft", "*/hard"), limit=16 * KIB),
    ),
)
