"""Does the drive itself warn?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.nvme import SMART_LOG, SMART_SECONDS, Smart, observe_smart
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Critical warning of the NVMe drive", seconds=SMART_SECONDS, elevated=(SMART_LOG,))
# NVMe base specification 2.0, SMART / health log, byte 0.
BITS = {
    0: "spare blocks below the threshold",
    1: "temperature outside the limits",
    2: "reliability degraded",
    3: "read-only",
    4: "backup of volatile memory failed",
    5: "persistent memory region unreliable",
}
ONLY_WARN = 1 << 1 | 1 << 5

observe = observe_smart


def evaluate(seen: Smart) -> Finding:
    bits = seen.critical_warning
    if not 0 <= bits <= 255:
        raise ValueError(f"critical_warning {bits} is not a byte")
    locator = " ".join(SMART_LOG)
    readings = (Reading("temperature", seen.celsius, "Cel"), Reading("unsafe_shutdowns", seen.unsafe_shutdowns, "1"))
    if not bits:
        return Finding(
            Status.PASS, "The drive raises no warning", value=0, unit="1", locator=locator, readings=readings
        )
    named = [words for bit, words in BITS.items() if bits >> bit & 1] or [f"reserved bits {bits:#x}"]
    return Finding(
        Status.FAIL if bits & ~ONLY_WARN else Status.WARN,
        f"The drive warns: {', '.join(named)}",
        value=bits,
        unit="1",
        locator=locator,
        action="Copy what matters off the node and replace the drive"
        if bits & ~ONLY_WARN
        else "Check the cooling of the drive, then read `nvme smart-log` again",
        readings=readings,
    )
