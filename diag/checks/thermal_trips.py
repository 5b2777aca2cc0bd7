"""How far is each thermal zone from the point where the kernel shuts the machine down?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.thermal import THERMAL, Zones, observe_zones
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Distance to the critical temperature")
MARGIN = Threshold(
    Comparison.AT_MOST,
    warn=10.0,
    fail=3.0,
    provenance="kernel, thermal: at a critical trip it orders a shutdown (GB10: 104.8 °C); the margins are judgement",
)

observe = observe_zones


def evaluate(seen: Zones) -> Finding:
    if not seen.zones:
        if seen.listed and seen.is_gb10 is False:
            raise NotApplicable("this machine has no thermal zone")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{THERMAL} lists no thermal zone")
    margins = [
        (round(zone.critical - zone.celsius, 1), zone)
        for zone in seen.zones
        if zone.critical is not None and zone.celsius is not None
    ]
    if not margins:
        raise Unevaluated(UnknownReason.PRECONDITION, "no thermal zone tells both its temperature and a critical trip")
    margin, nearest = min(margins, key=lambda pair: pair[0])
    return judged(
        MARGIN,
        margin,
        f"{nearest.name} is {margin:g} °C below its critical trip of {nearest.critical:g} °C",
        action="Take load off the node now and check its cooling: the kernel shuts it down at the critical trip",
        unit="Cel",
        locator=f"{THERMAL}/{nearest.name}",
        readings=tuple(Reading(zone.name[:120], value, "Cel") for value, zone in margins[:50]),
    )
