"""Which addresses belong to what; only root sees them. A GB10 has no I/O ports."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Addresses of memory and devices by owner",
    Volatility.BOOT,
    (Command("iomem.txt", ("/usr/bin/cat", "/proc/iomem"), limit=64 * KIB, elevate=True),),
)
