"""Does the node know a way out of its own network?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.netdev import ROUTES_V4, Uplinks, observe_uplinks
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Default route")
# A warning, not a failure: a closed network without a router is a choice of the site.
ROUTES = Threshold(Comparison.BELOW, warn=1, provenance="common practice: a node reaches other networks by a router")
observe = observe_uplinks


def evaluate(seen: Uplinks) -> Finding:
    best = seen.routes[0] if seen.routes else None
    return judged(
        ROUTES,
        len(seen.routes),
        f"The default route of {best.family} goes out on {best.interface}" if best else "There is no default route",
        unit="1",
        locator=ROUTES_V4,
        action="Look at the cable and at `ip route`, then at DHCP or netplan; on a closed network without a router "
        "this is as it should be",
        readings=tuple(
            Reading(f"{route.family} {route.interface}"[:120], route.metric, "1") for route in seen.routes[:50]
        ),
    )
