"""Does the driver ask for a reset or a reboot before the GPU is used again?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvidia_smi import GPU_LOST, GPU_SECONDS, RESET_REQUIRED, GpuSeen, observe_gpu
from diag.nodekit.problems import NotApplicable
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="GPU reset pending", seconds=GPU_SECONDS)
WANTED = Threshold(
    Comparison.NOT_EQUAL, fail="None", provenance="NVML API reference, nvmlDeviceGpuRecoveryAction and nvmlReturn_t"
)
RESET, LOST = "GPU requires reset", "GPU is lost"
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    wanted = _wanted(seen)
    summary = "The driver asks for no reset" if wanted == "None" else f"The driver asks to recover the GPU: {wanted}"
    return judged(
        WANTED,
        wanted,
        summary,
        locator="nvidia-smi gpu_recovery_action",
        action="Drain the node and reboot it; `nvidia-smi -r` does nothing on a GB10. Cut the power for a minute if "
        "the state survives the reboot",
    )


def _wanted(seen: GpuSeen) -> str:
    if seen.ran is not None and seen.ran.exit_status in (RESET_REQUIRED, GPU_LOST):
        return RESET if seen.ran.exit_status == RESET_REQUIRED else LOST
    gpu = seen.gpu()
    asking = [cell for _, cell in gpu.faults if "RESET" in cell.upper() or "LOST" in cell.upper()]
    if asking:
        return asking[0].strip("[]")[:120]
    try:
        return gpu.text("gpu_recovery_action")[:120]
    except NotApplicable as absent:
        raise NotApplicable(f"{absent}: this driver names no recovery action") from absent
