"""Has the kernel killed a process for want of memory since boot?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import VMSTAT, uptime
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Processes killed for want of memory")
KILLED = Threshold(
    Comparison.ABOVE, warn=0, provenance="kernel, oom_kill in /proc/vmstat: kills since boot; none is expected"
)


@dataclass(frozen=True)
class Kills:
    """Kills since boot, and hours since boot."""

    count: int
    hours: float


def observe(machine: Machine) -> Kills:
    return Kills(_count(machine.read(VMSTAT)), uptime(machine) / 3600)


def evaluate(seen: Kills) -> Finding:
    return judged(
        KILLED,
        seen.count,
        f"The kernel killed {seen.count} processes for want of memory in {seen.hours:.1f} h since boot",
        action="See who in `journalctl -k -g 'Killed process'`; a kill can leave the GPU at low clocks",
        unit="1",
        locator=VMSTAT,
    )


def _count(text: str) -> int:
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    raise ValueError(f"{VMSTAT} has no oom_kill")
