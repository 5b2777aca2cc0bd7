"""Is any other temperature sensor near the limit its driver states? Drives and zones have checks of their own."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.thermal import HWMON, Sensor, sensors
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Temperature sensors with a limit")
ELSEWHERE = frozenset({"nvme", "acpitz"})
SHARE = Threshold(
    Comparison.AT_LEAST,
    warn=86.0,
    fail=100.0,
    provenance="the critical limit of the driver (ConnectX-7: 105 °C); 86 % of it is 90 °C: judgement",
)


@dataclass(frozen=True)
class Seen:
    """The sensors outside drives and zones, how many there are in all, and whether this is a GB10."""

    others: tuple[Sensor, ...]
    total: int
    is_gb10: bool | None


def observe(machine: Machine) -> Seen:
    found = sensors(machine)
    others = tuple(sensor for sensor in found if sensor.chip not in ELSEWHERE)
    return Seen(others, len(found), platform_evidence(machine).is_gb10)


def evaluate(seen: Seen) -> Finding:
    if not seen.total and seen.is_gb10 is not False:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{HWMON} lists no temperature sensor")
    limited = [
        (round(100 * sensor.celsius / sensor.critical, 1), sensor)
        for sensor in seen.others
        if sensor.celsius is not None and sensor.critical is not None
    ]
    if not limited:
        raise NotApplicable("no sensor besides drives and thermal zones states a critical limit")
    share, worst = max(limited, key=lambda pair: pair[0])
    return judged(
        SHARE,
        share,
        f"{worst.name} is at {worst.celsius:g} °C, {share:g} % of its critical limit of {worst.critical:g} °C",
        action="Check the air flow through the node and take network load off it",
        unit="%",
        locator=HWMON,
        readings=tuple(Reading(sensor.name or "?", sensor.celsius, "Cel") for sensor in seen.others[:50]),
    )
