"""Does each cabled ConnectX-7 cage have both of its twins up?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.connectx import FUNCTIONS, Cage, ConnectX, observe_connectx
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.platform import PCI_DEVICES
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="ConnectX-7 cages")
TWINS = Threshold(
    Comparison.BELOW,
    warn=2,
    provenance="NVIDIA DGX Spark playbooks: one cable brings up two of the four interfaces, one per PCIe half",
)
observe = observe_connectx


def evaluate(seen: ConnectX) -> Finding:
    readings = tuple(
        Reading(port.name[:120], port.interface.speed if port.has_carrier and port.interface else 0, "Mbit/s")
        for port in seen.ports[:40]
    )
    bare = [port.function.address for port in seen.ports if port.interface is None]
    if len(seen.ports) < FUNCTIONS or bare:
        missing = f"{len(seen.ports)} of {FUNCTIONS} ConnectX-7 functions are on the bus"
        return Finding(
            Status.WARN,
            f"{missing}, {len(bare)} of them without an interface" if bare else missing,
            value=len(seen.ports) - len(bare),
            unit="1",
            locator=PCI_DEVICES,
            action="Look for mlx5_core in the kernel log; pull the cable, wait a minute and plug it in again; cut the "
            "power for a minute if that does not bring them back",
            readings=readings,
        )
    seen.require_carrier()
    cabled = [cage for cage in seen.cages if cage.live]
    lame = [cage for cage in cabled if len(cage.live) < len(cage.ports)]
    worst = (lame or cabled)[0]
    return Finding(
        Status.WARN if lame else Status.PASS,
        _words(worst),
        value=len(worst.live),
        unit="1",
        threshold=TWINS,
        locator=PCI_DEVICES,
        action="Set both twins up (`ip link`), seat the cable again on both ends; half of the bandwidth is missing"
        if lame
        else None,
        readings=readings,
    )


def _words(cage: Cage) -> str:
    live = " and ".join(port.name for port in cage.live)
    if len(cage.live) == len(cage.ports):
        return f"{live} are up, both halves of {cage.name}"
    down = " and ".join(port.name for port in cage.ports if not port.has_carrier)
    return f"Only {live} of {cage.name} is up, its twin {down} is down"
