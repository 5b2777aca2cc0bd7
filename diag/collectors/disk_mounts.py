"""What is mounted where, and what should be."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Volatility

COLLECTOR = Collector(
    "Mounts as they are and as they are configured",
    Volatility.BOOT,
    (
        File("mountinfo.txt", "/proc/self/mountinfo", limit=128 * KIB),
        File("mounts.txt", "/proc/mounts", limit=128 * KIB),
        File("fstab.txt", "/etc/fstab", limit=16 * KIB),
    ),
)
