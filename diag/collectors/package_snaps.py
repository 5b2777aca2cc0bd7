"""Snaps, and what was last done to them."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Snaps with revisions, and their last changes",
    Volatility.STATE,
    (
        Command("snaps.txt", ("snap", "list", "--all", "--color=never", "--unicode=never"), limit=64 * KIB),
        Command("snap_changes.txt", ("snap", "changes"), limit=32 * KIB),
    ),
)
