"""Does the driver tell a size for GPU memory? On a GB10 it does not: the GPU uses the memory of the machine."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.nvidia_smi import GPU_SECONDS, GpuSeen, observe_gpu
from diag.nodekit.problems import NotApplicable
from diag.nodekit.vocabulary import Status

CHECK = Check(title="GPU memory as nvidia-smi tells it", seconds=GPU_SECONDS)
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    gpu = seen.gpu()
    try:
        total = gpu.number("memory.total")
    except NotApplicable as absent:
        raise NotApplicable(
            f"{absent}: GPU and processors share the memory of the machine; see memory.available"
        ) from absent
    return Finding(
        Status.PASS,
        f"This driver tells {total:g} MiB of GPU memory, which is the memory of the machine",
        value=total,
        unit="MiBy",
        locator="nvidia-smi memory.total",
        readings=(Reading("memory.used", gpu.cells.get("memory.used", "")[:120], "MiBy"),),
    )
