"""Has the running kernel met an error it could not undo?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Kernel taint")
TAINTED = "/proc/sys/kernel/tainted"
# Documentation/admin-guide/tainted-kernels.rst. The other bits name kinds of modules and workarounds: a GB10 with the
# NVIDIA driver always reads 4096, an out-of-tree module.
FAULTS = {4: "machine check", 5: "bad page", 7: "oops", 14: "soft lockup"}
WARNED = 9


def observe(machine: Machine) -> int:
    tainted = int(machine.read(TAINTED))
    if tainted < 0:
        raise ValueError(f"{TAINTED} is negative")
    return tainted


def evaluate(seen: int) -> Finding:
    faults = [name for bit, name in FAULTS.items() if seen >> bit & 1]
    if faults:
        return Finding(
            Status.FAIL,
            f"Since boot the kernel met: {', '.join(faults)} (taint {seen})",
            value=seen,
            unit="1",
            locator=TAINTED,
            action="Save `journalctl -k -b`, then drain and reboot: a kernel that went on is not reliable",
        )
    told = "a kernel warning was logged, no fault" if seen >> WARNED & 1 else "no fault"
    return Finding(Status.PASS, f"Taint {seen}: {told}", value=seen, unit="1", locator=TAINTED)
