"""Drivers that are built for each kernel."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

COLLECTOR = Collector(
    "State of DKMS, and the versions of CUDA that are installed",
    Volatility.STATE,
    (
        Command("dkms.txt", ("dkms", "status"), limit=32 * KIB),
        Values("cuda.txt", "/usr/local", ("cuda*/version.json",), limit=64 * KIB),
        Values("signatures.txt", "/sys/module/module/parameters", ("sig_enforce",), limit=4 * KIB),
    ),
)
