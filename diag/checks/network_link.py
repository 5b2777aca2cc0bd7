"""Are the interfaces of the default routes up, with a partner on the line?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.netdev import NET, Interface, Uplinks, observe_uplinks
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Link of the default route")
# A virtual interface may say `unknown`: it has no line of its own (kernel, Documentation/networking/operstates.rst).
WORKING = frozenset({"up", "unknown", "dormant"})
observe = observe_uplinks


def evaluate(seen: Uplinks) -> Finding:
    if not seen.routes:
        raise Unevaluated(UnknownReason.PRECONDITION, "there is no default route, so no interface to judge")
    names = list(dict.fromkeys(route.interface for route in seen.routes))
    dead = [name for name in names if not _works(seen.interfaces[name])]
    first = names[0]
    status = Status.PASS if not dead else Status.FAIL if first in dead else Status.WARN
    return Finding(
        status,
        f"The link of {dead[0]} is down, a default route goes out on it" if dead else f"{first} has a link",
        value=_state(seen.interfaces[dead[0] if dead else first])[:120],
        locator=f"{NET}/{(dead or names)[0]}/operstate"[:1000],
        action=None
        if status == Status.PASS
        else f"Check the cable and the switch port of {dead[0]}, then `ip link show {dead[0]}`",
        readings=tuple(Reading(name[:120], _state(seen.interfaces[name])[:120]) for name in names[:50]),
    )


def _works(interface: Interface | None) -> bool:
    return interface is not None and interface.is_up and interface.state in WORKING and interface.carrier is not False


def _state(interface: Interface | None) -> str:
    if interface is None:
        return "missing"
    carrier = {True: "carrier", False: "no carrier", None: "carrier not told"}[interface.carrier]
    return f"{interface.state}, {carrier}"
