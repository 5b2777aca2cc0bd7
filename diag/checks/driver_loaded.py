"""Is the NVIDIA driver in the kernel?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.driver import PROC_MODULES, LoadedDriver, observe_loaded
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.vocabulary import Status

CHECK = Check(title="NVIDIA driver loaded", required=True)
observe = observe_loaded


def evaluate(seen: LoadedDriver) -> Finding:
    readings = tuple(Reading("module", name[:120]) for name in sorted(seen.loaded)[:20])
    if "nvidia" not in seen.loaded:
        return Finding(
            Status.FAIL,
            "The kernel module nvidia is not loaded: programs see no GPU",
            value=False,
            locator=PROC_MODULES,
            action="See driver.running_kernel; where this kernel has a module, `modprobe nvidia` says why it fails",
            readings=readings,
        )
    return Finding(
        Status.PASS,
        f"The NVIDIA driver {seen.version or 'of a version that it does not tell'} is loaded",
        value=True,
        locator=PROC_MODULES,
        readings=readings,
    )
