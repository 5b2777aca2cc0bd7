"""Do the driver in the kernel and its libraries have the same version?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.driver import VERSION, module_version
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.nvidia_smi import GPU_SECONDS, KERNEL_MODULE, VERSION_MISMATCH, GpuSeen, observe_gpu
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="NVIDIA driver and libraries agree", seconds=GPU_SECONDS)
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    seen.require_gb10()
    loaded = module_version(seen.module)
    if loaded is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{KERNEL_MODULE} tells no version; see driver.loaded")
    library = _library(seen)
    return judged(
        Threshold(Comparison.NOT_EQUAL, fail=loaded, provenance="NVML needs the very version of the kernel module"),
        library,
        f"Driver {loaded} in the kernel, libraries {library}",
        locator=KERNEL_MODULE,
        action="The driver was updated under a running kernel: drain the node and reboot it; new programs get no GPU",
        readings=(Reading("kernel", loaded, locator=KERNEL_MODULE), Reading("libraries", library)),
    )


def _library(seen: GpuSeen) -> str:
    if seen.ran is not None and seen.ran.exit_status == VERSION_MISMATCH:
        named = VERSION.search(f"{seen.ran.stdout} {seen.ran.stderr}")
        return named[1] if named else "of another version"
    return seen.gpu().text("driver_version")[:120]
