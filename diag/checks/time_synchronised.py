"""Is the clock synchronised?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.printable import age
from diag.nodekit.proc_files import uptime
from diag.nodekit.timesync import TIMEDATECTL, timedate_properties
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Clock synchronised", required=True)
SETTLING = 15 * 60  # seconds after boot in which a clock may still be looking for its servers


@dataclass(frozen=True)
class Clock:
    """What systemd says: `enabled` a time client is wanted, `synchronised` the kernel holds the clock for right."""

    enabled: str
    synchronised: str
    uptime: float


def observe(machine: Machine) -> Clock:
    properties = timedate_properties(machine)
    return Clock(properties.get("NTP", ""), properties.get("NTPSynchronized", ""), uptime(machine))


def evaluate(seen: Clock) -> Finding:
    if seen.synchronised not in ("yes", "no"):
        raise ValueError("timedatectl does not tell NTPSynchronized")
    locator = " ".join(TIMEDATECTL)
    readings = (Reading("NTP", seen.enabled), Reading("uptime", round(seen.uptime), "s"))
    if seen.synchronised == "yes":
        return Finding(Status.PASS, "The clock is synchronised", value=True, locator=locator, readings=readings)
    minutes = seen.uptime / 60
    if seen.uptime < SETTLING and seen.enabled == "yes":
        return Finding(
            Status.PASS, f"Not synchronised yet, {minutes:.0f} min after boot", value=False, locator=locator,
            readings=readings,
        )  # fmt: skip
    why = "no time client is switched on" if seen.enabled == "no" else f"{age(seen.uptime)} after boot"
    return Finding(
        Status.WARN,
        f"The clock is not synchronised: {why}",
        value=False,
        locator=locator,
        action="Run `timedatectl set-ntp true`, then `timedatectl timesync-status`; check the way to the time server",
        readings=readings,
    )
