"""The same records where only root may read them: their folders are closed to others, so that none can be listed."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Volatility

READ_ALL = ("/usr/bin/grep", "-r", "-a", "-H", ".", "/sys/fs/pstore", "/var/lib/systemd/pstore")
COLLECTOR = Collector(
    "Records of panics, in firmware memory and archived, printed at once",
    Volatility.LOGS,
    (Command("all.txt", READ_ALL, limit=MIB, elevate=True, nothing=(1,)),),
)
