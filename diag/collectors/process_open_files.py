"""How many files are open, by process: since Linux 6.2 the size of /proc/PID/fd says it."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Volatility

COUNTED = ("find", "/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "fd", "-printf", "%s %h\\n")

COLLECTOR = Collector(
    "Open files and locks, counted by process",
    Volatility.MOMENT,
    (
        File("file_table.txt", "/proc/sys/fs/file-nr", limit=4 * KIB),
        File("locks.txt", "/proc/locks", limit=64 * KIB),
        Command("open_by_process.txt", COUNTED, limit=128 * KIB),
    ),
)
