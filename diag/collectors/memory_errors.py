"""Errors of memory and processors that were counted."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

COLLECTOR = Collector(
    "Counters of EDAC and of the RAS daemon",
    Volatility.FIXED,
    (
        Values("edac.txt", "/sys/devices/system/edac", ("*/*/*_count", "*/*/*/*_count", "*/*/mc_name"), limit=32 * KIB),
        Command("ras.txt", ("ras-mc-ctl", "--summary"), limit=64 * KIB),
    ),
)
