"""Did another machine answer to one of this node's IPv6 addresses? Cloned images and MAC addresses show here first."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Duplicate IPv6 addresses")
PROC_NET = "/proc/net"
ADDRESSES = f"{PROC_NET}/if_inet6"
FAILED = 0x08  # IFA_F_DADFAILED of linux/if_addr.h
DUPLICATES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    provenance="RFC 4862, section 5.4: a node asks before it takes an address, and must not use one that is taken",
)


@dataclass(frozen=True)
class Addresses:
    """How many IPv6 addresses there are, and the interfaces of those that somebody else has."""

    count: int
    duplicates: tuple[str, ...]


def observe(machine: Machine) -> Addresses:
    text = machine.read_or_none(ADDRESSES)
    if text is None:
        if machine.names(PROC_NET):
            raise NotApplicable("IPv6 is switched off")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{PROC_NET} lists nothing")
    rows = [line.split() for line in text.splitlines()]
    if not all(len(row) == 6 for row in rows):
        raise ValueError(f"{ADDRESSES} has a line that is none of an address")
    return Addresses(len(rows), tuple(row[5][:120] for row in rows if int(row[4], 16) & FAILED))


def evaluate(seen: Addresses) -> Finding:
    if not seen.count:
        raise NotApplicable("no interface has an IPv6 address")
    where = ", ".join(sorted(set(seen.duplicates)))
    return judged(
        DUPLICATES,
        len(seen.duplicates),
        f"{len(seen.duplicates)} of {seen.count} IPv6 addresses are in use elsewhere{f': {where}' if where else ''}",
        action="Compare the port's MAC address with its neighbours (`ip -6 neigh`); look for a cloned node or a loop",
        unit="1",
        locator=ADDRESSES,
        readings=tuple(Reading("duplicate", name, locator=ADDRESSES) for name in seen.duplicates[:50]),
    )
