"""What does the node do after a panic? A stock GB10 halts until somebody cuts its power: reported.

It warns where somebody turned faults that a kernel survives into panics, and nothing brings the node back.
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Behaviour at a kernel panic")
SYSCTL = "/proc/sys/kernel"
# Documentation/admin-guide/sysctl/kernel.rst: each turns a fault that the kernel survives into a panic.
TRIGGERS = ("panic_on_oops", "softlockup_panic", "hung_task_panic", "panic_on_warn")
CRASH_KERNEL = "/sys/kernel/kexec_crash_loaded"
WATCHDOG = "/sys/class/watchdog/watchdog0/state"


@dataclass(frozen=True)
class Panic:
    """`seconds` until the reboot (0: never, below 0: at once), the triggers that are on, and other ways back."""

    seconds: int
    triggers: tuple[str, ...]
    crash_kernel: bool
    watchdog: bool


def observe(machine: Machine) -> Panic:
    values = {name: machine.read_or_none(f"{SYSCTL}/{name}") for name in TRIGGERS}
    return Panic(
        int(machine.read(f"{SYSCTL}/panic")),
        tuple(name for name, value in values.items() if value is not None and int(value)),
        machine.read_or_none(CRASH_KERNEL) == "1",
        machine.read_or_none(WATCHDOG) == "active",
    )


def evaluate(seen: Panic) -> Finding:
    way_back = _way_back(seen)
    readings = (Reading("panic", seen.seconds, "s", f"{SYSCTL}/panic"), *(Reading(name, 1) for name in seen.triggers))
    if seen.triggers and way_back is None:
        return Finding(
            Status.WARN,
            f"{', '.join(seen.triggers)} makes a panic of a fault that the kernel survives, and nothing reboots the "
            "node after it (kernel.panic=0)",
            value=seen.seconds,
            unit="s",
            locator=f"{SYSCTL}/panic",
            action="Set kernel.panic=10 in /etc/sysctl.d/, arm the watchdog (RuntimeWatchdogSec= in "
            "/etc/systemd/system.conf), or turn the trigger off",
            readings=readings,
        )
    return Finding(
        Status.PASS,
        f"After a panic {way_back or 'the node halts until its power is cut, as the stock setting is'}",
        value=seen.seconds,
        unit="s",
        locator=f"{SYSCTL}/panic",
        readings=readings,
    )


def _way_back(seen: Panic) -> str | None:
    if seen.crash_kernel:
        return "a crash kernel saves the memory and reboots the node"
    if seen.seconds:
        return f"the node reboots in {max(0, seen.seconds)} s"
    return "the hardware watchdog resets the node" if seen.watchdog else None
