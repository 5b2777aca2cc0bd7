"""What is plugged in."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "USB devices and their tree",
    Volatility.FIXED,
    (
        Command("tree.txt", ("lsusb", "-t"), limit=32 * KIB),
        Command("devices.txt", ("lsusb", "-v"), limit=256 * KIB),
    ),
)
