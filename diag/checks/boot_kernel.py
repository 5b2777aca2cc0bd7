"""Does the newest installed kernel run?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import age_days
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.kernels import BOOT, MODULES, OSRELEASE, Kernels, kernels, release_key
from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="Running kernel against installed ones")
WAITING = Threshold(
    Comparison.ABOVE, warn=30.0, provenance="GB10 owners run healthy for weeks with a newer kernel installed (2026)"
)


@dataclass(frozen=True)
class Seen:
    """The kernels, and for how many days the newest has been waiting (None when that cannot be told)."""

    kernels: Kernels
    waiting_days: float | None


def observe(machine: Machine) -> Seen:
    found = kernels(machine)
    if not found.images:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{BOOT} lists no kernel")
    waiting = None
    if found.newest is not None and release_key(found.newest) > release_key(found.running):
        # depmod writes this file when the kernel is installed; the kernel image itself is dated by its maker.
        index = f"{MODULES}/{found.newest}/modules.dep"
        waiting = age_days(machine, index) if machine.exists(index) else None
    return Seen(found, waiting)


def evaluate(seen: Seen) -> Finding:
    running, newest = seen.kernels.running, seen.kernels.newest
    readings = tuple(Reading("installed", release, locator=BOOT) for release in seen.kernels.images)
    if running not in seen.kernels.modules:
        return Finding(
            Status.WARN,
            f"The modules of the running kernel {running} are gone: no further module can be loaded",
            value=running,
            locator=f"{MODULES}/{running}"[:1000],
            action="Reboot into an installed kernel at the next window",
            readings=readings,
        )
    if newest is None or release_key(newest) <= release_key(running):
        return Finding(
            Status.PASS,
            f"{running} runs, the newest one installed",
            value=running,
            locator=OSRELEASE,
            readings=readings,
        )
    summary = f"{running} runs, {newest} is installed and waits for a reboot"
    if seen.waiting_days is None:
        return Finding(Status.PASS, summary, value=running, locator=OSRELEASE, readings=readings)
    return judged(
        WAITING,
        seen.waiting_days,
        f"{summary} since {seen.waiting_days:g} days",
        action="Plan a reboot; check boot.initrd first",
        unit="d",
        locator=f"{MODULES}/{newest}/modules.dep",
        readings=readings,
    )
