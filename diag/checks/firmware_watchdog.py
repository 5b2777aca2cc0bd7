"""Is the hardware watchdog armed? It is not on a stock GB10: reported, not judged."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Hardware watchdog")
WATCHDOG = "/sys/class/watchdog"


@dataclass(frozen=True)
class Watchdog:
    """The first watchdog: its name, `active` or `inactive`, and its timeout in seconds as text."""

    identity: str
    state: str
    timeout: str | None


def observe(machine: Machine) -> Watchdog:
    names = [name for name in machine.names(WATCHDOG) if name.startswith("watchdog")]
    if not names:
        # Every GB10 has one: where none shows, its driver or part of the tree is missing.
        if machine.names("/sys/class") and platform_evidence(machine).is_gb10 is False:
            raise NotApplicable("the kernel drives no hardware watchdog")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{WATCHDOG} lists none, and a GB10 has one")
    here = f"{WATCHDOG}/{names[0]}"
    return Watchdog(
        (machine.read_or_none(f"{here}/identity") or "unnamed").strip(),
        machine.read(f"{here}/state").strip(),
        machine.read_or_none(f"{here}/timeout"),
    )


def evaluate(seen: Watchdog) -> Finding:
    if seen.state not in ("active", "inactive"):
        raise ValueError(f"the watchdog is neither active nor inactive: {seen.state}")
    armed = seen.state == "active"
    return Finding(
        Status.PASS,
        f"{seen.identity} is {'armed' if armed else 'not armed'}",
        value=armed,
        locator=WATCHDOG,
        readings=(Reading("timeout", seen.timeout, "s"),),
    )
