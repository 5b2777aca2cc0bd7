"""What is run by the clock."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility, whole_files

COLLECTOR = Collector(
    "Jobs of cron",
    Volatility.STATE,
    (
        Values("cron.txt", "/etc", ("crontab", "anacrontab", "cron.d/*"), limit=64 * KIB),
        Command("user_cron.txt", whole_files("/var/spool/cron/crontabs"), limit=64 * KIB, elevate=True),
    ),
)
