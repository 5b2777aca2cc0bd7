"""What the last checks of the file systems found."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

COLLECTOR = Collector(
    "Logs of file system checks, and errors that ext4 counts",
    Volatility.LOGS,
    (
        File("root_check.txt", "/run/initramfs/fsck.log", 64 * KIB),
        Values("checks.txt", "/var/log/fsck", ("*",), limit=64 * KIB),
        Values(
            "ext4.txt", "/sys/fs/ext4", ("*/errors_count", "*/*_error_*", "*/lifetime_write_kbytes"), limit=32 * KIB
        ),
    ),
)
