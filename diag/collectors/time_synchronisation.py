"""What the clock follows, and how well."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

CHRONY = ("chronyc", "-n")  # asks the daemon of this machine only
COLLECTOR = Collector(
    "Clock, time servers and their settings",
    Volatility.STATE,
    (
        Command("status.txt", ("timedatectl", "status", "--no-pager"), limit=8 * KIB),
        Command("timesync.txt", ("timedatectl", "timesync-status"), limit=8 * KIB),
        Command("chrony.txt", (*CHRONY, "tracking"), 3.0, 8 * KIB),
        Command("chrony_sources.txt", (*CHRONY, "sources", "-v"), 3.0, 16 * KIB),
        Values("settings.txt", "/etc", ("systemd/timesyncd.conf", "systemd/timesyncd.conf.d/*", "chrony/chrony.conf")),
    ),
)
