"""What each network adapter is, counts, and has plugged in."""

from __future__ import annotations

from collections.abc import Iterable

from diag.nodekit.collector import KIB, Collector, Command, Take, Volatility
from diag.nodekit.machine import Machine

ASKED = {"driver": ("-i",), "link": (), "counters": ("-S",), "rings": ("-g",), "pauses": ("-a",), "features": ("-k",)}


def _takes(machine: Machine) -> Iterable[Take]:
    for name in machine.names("/sys/class/net"):
        if machine.exists(f"/sys/class/net/{name}/device"):
            for word, option in ASKED.items():
                yield Command(f"{name}/{word}.txt", ("ethtool", *option, name), 2.0, 64 * KIB)


COLLECTOR = Collector("Drivers, links and counters of the network adapters", Volatility.STATE, _takes)
