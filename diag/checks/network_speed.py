"""At what speed did the wired uplink come up?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.netdev import NET, Uplinks, observe_uplinks
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Speed of the wired uplink")
SPEED = Threshold(
    Comparison.BELOW,
    warn=1000,
    fail=100,
    provenance="a GB10's own port runs at 1, 2.5 or 10 Gbit/s (owner reports, 2025-2026); less is a bad pair or port",
)
observe = observe_uplinks


def evaluate(seen: Uplinks) -> Finding:
    if not seen.routes:
        raise Unevaluated(UnknownReason.PRECONDITION, "there is no default route, so no uplink to judge")
    name = seen.routes[0].interface
    beneath = seen.beneath[name]
    wired = [one for one in beneath if not one.wireless and one.function is not None]
    if not wired:
        if any(one.wireless for one in beneath):
            raise NotApplicable(f"the default route goes out on {name}, which is wireless")
        raise Unevaluated(UnknownReason.PRECONDITION, f"no hardware is known beneath {name}")
    speeds = {one.name: one.speed for one in wired if one.speed is not None}
    if not speeds:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the driver of {wired[0].name} tells no speed")
    slowest = min(speeds, key=lambda one: speeds[one])
    return judged(
        SPEED,
        speeds[slowest],
        f"{slowest} runs at {speeds[slowest]:g} Mbit/s",
        unit="Mbit/s",
        locator=f"{NET}/{slowest}/speed"[:1000],
        action=f"Change the cable of {slowest} and try another switch port; all four pairs are needed for 1 Gbit/s",
        readings=tuple(Reading(one[:120], speed, "Mbit/s") for one, speed in sorted(speeds.items())[:50]),
    )
