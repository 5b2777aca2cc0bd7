"""How hot is the hottest thermal zone of the chip?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.thermal import THERMAL, Zones, observe_zones
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Temperature of the thermal zones")
HOT = Threshold(
    Comparison.AT_LEAST,
    warn=93.0,
    fail=99.0,
    provenance="observed: healthy GB10 under load 87 to 92 °C, cut-off seen at 97.8 °C (owner reports, 2025-2026)",
)

observe = observe_zones


def evaluate(seen: Zones) -> Finding:
    if seen.is_gb10 is False:
        raise NotApplicable("the limits of thermal zones are only known for a GB10; thermal.trips judges this machine")
    read = [(zone.celsius, zone) for zone in seen.zones if zone.celsius is not None]
    if not read:
        raise Unevaluated(UnknownReason.PRECONDITION, f"no thermal zone in {THERMAL} tells a temperature")
    celsius, hottest = max(read, key=lambda pair: pair[0])
    unread = len(seen.zones) - len(read)
    return judged(
        HOT,
        celsius,
        f"The hottest of {len(read)} zones, {hottest.name}, is at {celsius:.1f} °C"
        + (f"; {unread} do not answer" if unread else ""),
        action="Check fan noise, air inlet and room; take load off now: a GB10 has cut its power from 97.8 °C on",
        unit="Cel",
        locator=f"{THERMAL}/{hottest.name}/temp",
        readings=tuple(Reading(zone.name[:120], zone.celsius, "Cel") for zone in seen.zones[:50]),
    )
