"""Is the NVIDIA module installed for the kernel that runs?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.driver import InstalledDriver, observe_installed
from diag.nodekit.finding import Finding
from diag.nodekit.kernels import MODULES
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="NVIDIA module for the running kernel")
observe = observe_installed


def evaluate(seen: InstalledDriver) -> Finding:
    release = seen.kernels.running
    module = seen.modules[release]
    index = f"{MODULES}/{release}/modules.dep"
    if module is None:
        raise Unevaluated(
            UnknownReason.PRECONDITION, f"there is no {index}: the modules of the running kernel are gone"
        )
    if not module:
        return Finding(
            Status.FAIL,
            f"No NVIDIA module is installed for the running kernel {release}",
            value=release[:120],
            locator=index,
            action="Install this kernel's module package (its name begins with linux-modules-nvidia), or boot a kernel "
            "that has one",
        )
    return Finding(Status.PASS, f"{release} has {module}", value=release[:120], locator=index)
