"""Units as they are, and as they are set to start."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

FAILED = ("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")

COLLECTOR = Collector(
    "Units: loaded, failed, enabled",
    Volatility.BOOT,
    (
        Command("state.txt", ("systemctl", "is-system-running"), limit=4 * KIB),
        Command("failed.txt", FAILED, limit=64 * KIB),
        Command("units.txt", ("systemctl", "list-units", "--all", "--plain", "--no-legend", "--full"), limit=256 * KIB),
        Command(
            "unit_files.txt", ("systemctl", "list-unit-files", "--plain", "--no-legend", "--full"), limit=128 * KIB
        ),
    ),
)
