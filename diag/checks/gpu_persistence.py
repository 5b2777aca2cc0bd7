"""Does the driver stay initialised while nobody uses the GPU?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvidia_smi import GPU_SECONDS, GpuSeen, observe_gpu
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="GPU persistence mode", seconds=GPU_SECONDS)
STOCK = Threshold(
    Comparison.NOT_EQUAL, warn="Enabled", provenance="observed: enabled on stock GB10 (public owner reports, 2025-2026)"
)
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    mode = seen.gpu().text("persistence_mode")
    if mode not in ("Enabled", "Disabled"):
        raise ValueError(f"nvidia-smi says {mode[:120]} for persistence_mode")
    return judged(
        STOCK,
        mode,
        f"Persistence mode is {mode.lower()}",
        locator="nvidia-smi persistence_mode",
        action="Start it again: `systemctl status nvidia-persistenced` tells why it is not running",
    )
