"""Do the twins of a cabled ConnectX-7 cage have the same MTU?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.connectx import Cage, ConnectX, observe_connectx
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.netdev import NET
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="MTU of the ConnectX-7 twins")
SAME = Threshold(
    Comparison.ABOVE, warn=0, provenance="judgement: collective libraries use both twins and send frames of one size"
)
observe = observe_connectx


def evaluate(seen: ConnectX) -> Finding:
    seen.require_carrier()
    pairs = [cage for cage in seen.cages if len(cage.live) > 1]
    if not pairs:
        raise NotApplicable("no cage has two twins with a partner; see network.connectx")
    worst = max(pairs, key=_difference)
    names = " and ".join(f"{port.name} {port.interface.mtu}" for port in worst.live if port.interface)
    return judged(
        SAME,
        _difference(worst),
        f"The MTU of the twins of {worst.name}: {names}",
        unit="By",
        locator=f"{NET}/{worst.live[0].name}/mtu"[:1000],
        action="Give both twins, and the partner's, the same MTU in netplan (9000 is usual)",
        readings=tuple(
            Reading(port.name[:120], port.interface.mtu, "By") for cage in pairs for port in cage.live if port.interface
        )[:40],
    )


def _difference(cage: Cage) -> int:
    sizes = [port.interface.mtu for port in cage.live if port.interface]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        raise Unevaluated(UnknownReason.PRECONDITION, f"the kernel tells no MTU for a twin of {cage.name}")
    return max(known) - min(known)
