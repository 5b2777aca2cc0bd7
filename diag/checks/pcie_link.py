"""Did the drive and the network controllers come up with their full PCIe links?

The GPU is never judged: it hangs on NVLink-C2C, and its PCIe link of 2.5 GT/s x1 is as built. The ConnectX-7 has a
check of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.pci import CLASS_ETHERNET, CLASS_NVME, MELLANOX, Function, Link, link_of, pci_functions
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="PCIe links of drive and network")
VIRTIO = "0x1af4"  # a virtual machine's devices stand on no link
FULL = Threshold(
    Comparison.BELOW,
    warn=100.0,
    provenance="PCI Express: a healthy link comes up with what device and bridge both can do",
)


@dataclass(frozen=True)
class Links:
    """The functions that are judged, each with its link."""

    links: tuple[tuple[Function, Link], ...]


def observe(machine: Machine) -> Links:
    functions = [
        one
        for one in pci_functions(machine)
        if one.class_code.startswith((CLASS_NVME, CLASS_ETHERNET)) and one.vendor not in (MELLANOX, VIRTIO)
    ]
    if not functions:
        raise NotApplicable("no NVMe drive and no Ethernet controller with a PCIe link is on the bus")
    return Links(tuple((one, link_of(machine, one)) for one in functions))


def evaluate(seen: Links) -> Finding:
    shares = {function: share for function, link in seen.links if (share := _share(link)) is not None}
    if not shares:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the kernel tells no PCIe link of {seen.links[0][0].label}")
    worst = min(shares, key=lambda function: shares[function])
    link = dict(seen.links)[worst]
    return judged(
        FULL,
        shares[worst],
        f"{worst.label} runs at {link.words}, it could do {link.max_speed:g} GT/s x{link.max_width}",
        unit="%",
        locator=f"{worst.where}/current_link_speed",
        action="Read pcie.aer; cut the power for a minute. A drive that stays slow: seat it again, or replace it",
        readings=tuple(Reading(function.label[:120], link.words) for function, link in seen.links[:40]),
    )


def _share(link: Link) -> float | None:
    """Share in percent of what the link could do."""
    if link.speed is None or link.width is None or link.max_speed is None or link.max_width is None:
        return None
    return round(100 * link.speed * link.width / (link.max_speed * link.max_width), 1)
