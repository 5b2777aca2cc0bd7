"""How hot is the drive?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import require_controller
from diag.nodekit.problems import Unevaluated
from diag.nodekit.thermal import HWMON, Sensor, sensors
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Temperature of the NVMe drive")
WARN, FAIL = 75.0, 82.0
SOURCE = "NVMe base specification 2.0, the drive's WCTEMP (82.85 °C on the Phison of a GB10); 75 °C: judgement"
ACTION = "Check the air flow under the node and pause heavy writing; above its limit the drive slows down, then stops"


def observe(machine: Machine) -> tuple[Sensor, ...]:
    require_controller(machine)
    found = tuple(sensor for sensor in sensors(machine) if sensor.chip == "nvme" and sensor.celsius is not None)
    if not found:
        raise Unevaluated(UnknownReason.PRECONDITION, f"no drive tells a temperature in {HWMON}")
    return found


def evaluate(seen: tuple[Sensor, ...]) -> Finding:
    # The composite temperature is the one that the drive itself acts on.
    composites = [sensor for sensor in seen if sensor.label in ("Composite", "temp1")] or list(seen)
    hottest = max(composites, key=lambda sensor: (sensor.alarm, sensor.celsius or 0.0))
    limit = 0.0 if hottest.alarm else FAIL if hottest.high is None else hottest.high
    raised = ", and the drive raises its alarm" if hottest.alarm else ""
    return judged(
        Threshold(Comparison.AT_LEAST, warn=min(WARN, limit), fail=limit, provenance=SOURCE),
        hottest.celsius or 0.0,
        f"The drive is at {hottest.celsius:.1f} °C{raised}",
        action=ACTION,
        unit="Cel",
        locator=HWMON,
        readings=tuple(Reading(sensor.name or "?", sensor.celsius, "Cel") for sensor in seen[:20]),
    )
