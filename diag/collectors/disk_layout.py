"""Drives, partitions and file systems."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Volatility

COLLECTOR = Collector(
    "Drives, partition table and file systems",
    Volatility.FIXED,
    (
        Command("blocks.json", ("lsblk", "-J", "-b", "-O"), 3.0, 128 * KIB, Kind.JSON),
        Command("file_systems.json", ("findmnt", "-J"), 3.0, 64 * KIB, Kind.JSON),
        Command("usage.txt", ("df", "--local", "--block-size=1", "--print-type"), 3.0, 32 * KIB),
        Command(
            "partitions.json", ("/usr/sbin/sfdisk", "--json", "/dev/nvme0n1"), 3.0, 32 * KIB, Kind.JSON, elevate=True
        ),
    ),
)
