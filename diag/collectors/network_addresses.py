"""Addresses, neighbours, routes and rules of all tables, by number only."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Volatility

SHOWN = {
    "addresses": ("-details", "address", "show"),
    "neighbours": ("neighbour", "show"),
    "routes": ("route", "show", "table", "all"),
    "routes6": ("-6", "route", "show", "table", "all"),
    "rules": ("rule", "show"),
}
COLLECTOR = Collector(
    "Addresses, neighbours, routes and rules",
    Volatility.STATE,
    tuple(Command(f"{name}.json", ("ip", "-json", *words), 3.0, 128 * KIB, Kind.JSON) for name, words in SHOWN.items()),
)
