"""The drive's health in the words of smartmontools."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Volatility

COLLECTOR = Collector(
    "SMART data of the drive",
    Volatility.FIXED,
    (
        Command(
            "smart.json", ("/usr/sbin/smartctl", "--json", "--xall", "/dev/nvme0"), 5.0, 128 * KIB, Kind.JSON,
            elevate=True,
        ),
    ),
)  # fmt: skip
