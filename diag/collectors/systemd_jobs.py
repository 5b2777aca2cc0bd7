"""What the init system is about to do."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Jobs under way, timers, and who delays a shutdown",
    Volatility.MOMENT,
    (
        Command("jobs.txt", ("systemctl", "list-jobs", "--no-pager"), limit=64 * KIB),
        Command("timers.txt", ("systemctl", "list-timers", "--all", "--no-pager", "--full"), limit=64 * KIB),
        Command("inhibitors.txt", ("systemd-inhibit", "--list", "--no-pager"), limit=32 * KIB),
    ),
)
