"""Temperatures from thermal zones and from hwmon, in degrees Celsius."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence

THERMAL = "/sys/class/thermal"
HWMON = "/sys/class/hwmon"
ABSOLUTE_ZERO = -273.0  # at or below: a sensor without a value
NO_LIMIT = 1000.0  # drivers write 65261.85 for a limit that nobody set
MAX_TRIPS = 12
MAX_SENSORS = 16


@dataclass(frozen=True)
class Zone:
    """A thermal zone; None for what it does not tell. `critical` is where the kernel orders a shutdown."""

    name: str
    kind: str
    celsius: float | None
    critical: float | None


@dataclass(frozen=True)
class Zones:
    """All thermal zones. `listed` says whether the kernel's list could be read at all."""

    zones: tuple[Zone, ...]
    listed: bool
    is_gb10: bool | None


@dataclass(frozen=True)
class Sensor:
    """One hwmon temperature; None for what it does not tell."""

    chip: str
    label: str
    celsius: float | None
    high: float | None
    critical: float | None
    alarm: bool

    @property
    def name(self) -> str:
        """Chip and label."""
        return f"{self.chip} {self.label}"[:120]


def observe_zones(machine: Machine) -> Zones:
    """Read every thermal zone; raises OSError when the folder exists and cannot be listed."""
    names = [name for name in machine.names(THERMAL) if name.startswith("thermal_zone")]
    zones = tuple(_zone(machine, name) for name in sorted(names, key=lambda name: (len(name), name)))
    return Zones(zones, machine.exists(THERMAL), platform_evidence(machine).is_gb10)


def sensors(machine: Machine) -> tuple[Sensor, ...]:
    """Every hwmon temperature; a sensor that cannot be read has no value."""
    found: list[Sensor] = []
    for folder in machine.names(HWMON):
        here = f"{HWMON}/{folder}"
        chip = _text(machine, f"{here}/name") or folder
        found += (_sensor(machine, here, chip, index) for index in _indices(machine.names(here)))
    return tuple(found)


def _zone(machine: Machine, name: str) -> Zone:
    here = f"{THERMAL}/{name}"
    critical = None
    for trip in range(MAX_TRIPS):
        kind = _text(machine, f"{here}/trip_point_{trip}_type")
        if kind is None:
            break
        if kind == "critical":
            critical = _limit(machine, f"{here}/trip_point_{trip}_temp")
    return Zone(name, _text(machine, f"{here}/type") or "unnamed", _celsius(machine, f"{here}/temp"), critical)


def _sensor(machine: Machine, here: str, chip: str, index: int) -> Sensor:
    stem = f"{here}/temp{index}"
    return Sensor(
        chip=chip,
        label=_text(machine, f"{stem}_label") or f"temp{index}",
        celsius=_celsius(machine, f"{stem}_input"),
        high=_limit(machine, f"{stem}_max"),
        critical=_limit(machine, f"{stem}_crit"),
        alarm="1" in (_text(machine, f"{stem}_alarm"), _text(machine, f"{stem}_crit_alarm")),
    )


def _indices(names: Iterable[str]) -> list[int]:
    parts = (
        name[len("temp") : -len("_input")] for name in names if name.startswith("temp") and name.endswith("_input")
    )
    return sorted(int(part) for part in parts if part.isdecimal())[:MAX_SENSORS]


def _limit(machine: Machine, path: str) -> float | None:
    limit = _celsius(machine, path)
    return limit if limit is not None and 0 < limit < NO_LIMIT else None


def _celsius(machine: Machine, path: str) -> float | None:
    text = _text(machine, path)
    try:
        celsius = int(text) / 1000 if text else None
    except ValueError:
        return None
    return celsius if celsius is not None and ABSOLUTE_ZERO < celsius < NO_LIMIT else None


def _text(machine: Machine, path: str) -> str | None:
    # A sensor of a sleeping device answers with an error of its own; that says nothing about the others.
    try:
        return (machine.read_or_none(path) or "").strip() or None
    except OSError:
        return None
