"""Did the ConnectX-7 come up with its full PCIe link?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.connectx import ConnectX, Port, observe_connectx
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="PCIe link of the ConnectX-7")
FULL_SPEED, FULL_WIDTH = 32.0, 4
FULL = Threshold(
    Comparison.BELOW,
    warn=FULL_SPEED * FULL_WIDTH,
    provenance="observed: all four functions run at 32 GT/s x4 on a healthy GB10 (public owner report)",
)
observe = observe_connectx


def evaluate(seen: ConnectX) -> Finding:
    known = [(transfers, port) for port in seen.ports if (transfers := _transfers(port)) is not None]
    if not known:
        raise Unevaluated(UnknownReason.PRECONDITION, "the kernel tells no PCIe link for the ConnectX-7")
    least, worst = min(known, key=lambda pair: pair[0])
    return judged(
        FULL,
        least,
        f"{worst.name} at {worst.function.address} has a PCIe link of {worst.link.words}",
        unit="{GT}/s",
        locator=f"{worst.function.where}/current_link_speed",
        action="Read pcie.aer for errors; shut both machines down, cut the power for a minute and look again",
        readings=tuple(Reading(port.function.address[:120], port.link.words) for port in seen.ports[:40]),
    )


def _transfers(port: Port) -> float | None:
    if port.link.speed is None or port.link.width is None:
        return None
    return port.link.speed * port.link.width
