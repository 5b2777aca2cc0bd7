"""Which sensors and thermal zones there are, with their limits; what they read now is told apart."""

from __future__ import annotations

import re
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.folder import children, value
from diag.nodekit.machine import Machine
from diag.nodekit.thermal import ABSOLUTE_ZERO, HWMON, MAX_TRIPS, NO_LIMIT, THERMAL
from diag.nodekit.words import name, word

INPUT = re.compile(r"((temp|fan|in|curr|power|energy|humidity)[0-9]+)_(input|average)")
MAX_CHIPS, MAX_INPUTS, MAX_ZONES = 32, 32, 32
MAX_FILES = 1000  # of one chip


def sensors(look: Look) -> dict[str, Any]:
    """Sensor chips by name and device (`nvme@nvme0`), because their numbers change from boot to boot."""
    machine = look.machine
    found: dict[str, Any] = {}
    for folder in children(machine, HWMON, r"hwmon[0-9]+", MAX_CHIPS):
        here = f"{HWMON}/{folder}"
        device = machine.link_name(f"{here}/device")
        chip = word(value(machine, f"{here}/name")) or "unnamed"
        key = name(chip if device is None else f"{chip}@{device}", found)
        matches = map(INPUT.fullmatch, children(machine, here, most=MAX_FILES))
        inputs = [match[1] for match in matches if match][:MAX_INPUTS]
        found[key] = {stem: _input(machine, f"{here}/{stem}") for stem in inputs}
        now = {stem: celsius(machine, f"{here}/{stem}_input") for stem in inputs if stem.startswith("temp")}
        if any(reading is not None for reading in now.values()):
            look.volatile.setdefault("celsius", {})[key] = now
    return found


def thermal_zones(look: Look) -> dict[str, Any]:
    """Thermal zones by name; `critical_celsius` is where the kernel orders a shutdown."""
    machine = look.machine
    found = {}
    for zone in children(machine, THERMAL, r"thermal_zone[0-9]+", MAX_ZONES):
        here = f"{THERMAL}/{zone}"
        trips = [value(machine, f"{here}/trip_point_{at}_type") for at in range(MAX_TRIPS)]
        critical = [f"{here}/trip_point_{at}_temp" for at, kind in enumerate(trips) if kind == "critical"]
        found[zone] = {
            "kind": value(machine, f"{here}/type"),
            "policy": value(machine, f"{here}/policy"),
            "trips": len([kind for kind in trips if kind is not None]),
            "critical_celsius": _limit(machine, critical[0]) if critical else None,
        }
        look.volatile.setdefault("celsius", {})[zone] = {"temp": celsius(machine, f"{here}/temp")}
    return found


def celsius(machine: Machine, path: str) -> float | None:
    """Degrees Celsius, None for a placeholder (-273.15, 65261.85) and for a sensor that does not answer."""
    try:
        degrees = int(value(machine, path) or "") / 1000
    except (ValueError, PermissionError):
        return None
    return degrees if ABSOLUTE_ZERO < degrees < NO_LIMIT else None


def _input(machine: Machine, stem: str) -> dict[str, Any]:
    if not stem.rpartition("/")[2].startswith("temp"):
        return {"label": value(machine, f"{stem}_label")}
    return {
        "label": value(machine, f"{stem}_label"),
        "high_celsius": _limit(machine, f"{stem}_max"),
        "critical_celsius": _limit(machine, f"{stem}_crit"),
    }


def _limit(machine: Machine, path: str) -> float | None:
    limit = celsius(machine, path)
    return limit if limit is not None and limit > 0 else None
