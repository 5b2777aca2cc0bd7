"""Is the drive there, and does the kernel talk to it?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import NVME, Controller, controllers
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="NVMe drive and its state")
# drivers/nvme/host/sysfs.c names the states.
PASSING = frozenset({"new", "resetting", "connecting"})
GONE = frozenset({"deleting", "deleting (no IO)", "dead"})
DEAD = (
    "Save what can be saved over the network, then cut the power for a minute; a drive that stays away must be replaced"
)


@dataclass(frozen=True)
class Drives:
    """The controllers, whether /sys/class could be listed at all, and whether this is a GB10."""

    controllers: tuple[Controller, ...]
    listed: bool
    is_gb10: bool | None


def observe(machine: Machine) -> Drives:
    return Drives(controllers(machine), bool(machine.names("/sys/class")), platform_evidence(machine).is_gb10)


def evaluate(seen: Drives) -> Finding:
    if not seen.controllers:
        return _none(seen)
    bad = [drive for drive in seen.controllers if drive.state != "live"]
    for drive in bad:
        if drive.state not in PASSING | GONE:
            raise ValueError(f"{drive.name} is in a state that the kernel does not have: {drive.state[:40]}")
    worst = next((drive for drive in bad if drive.state not in PASSING), bad[0] if bad else seen.controllers[0])
    status = Status.PASS if not bad else Status.WARN if worst.state in PASSING else Status.FAIL
    return Finding(
        status,
        f"{worst.name} ({worst.model}) is {worst.state}",
        value=worst.state,
        locator=f"{NVME}/{worst.name}/state",
        action={
            Status.WARN: "Look again in a minute; if it is not live by then, read `journalctl -k -g nvme`",
            Status.FAIL: DEAD,
        }.get(status),
        readings=tuple(
            Reading(drive.name[:120], f"{drive.model}, firmware {drive.firmware}, {drive.state}")
            for drive in seen.controllers[:20]
        ),
    )


def _none(seen: Drives) -> Finding:
    if not seen.listed or seen.is_gb10 is None:
        raise Unevaluated(
            UnknownReason.PRECONDITION, f"no NVMe controller in {NVME}, and what machine this is is not known"
        )
    if seen.is_gb10 is False:
        raise NotApplicable("this machine has no NVMe controller")
    return Finding(Status.FAIL, "The kernel lists no NVMe drive, and a GB10 has one", locator=NVME, action=DEAD)
