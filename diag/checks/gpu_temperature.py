"""How hot is the GPU?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvidia_smi import GPU_SECONDS, GpuSeen, observe_gpu
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="GPU temperature", seconds=GPU_SECONDS)
HOT = Threshold(
    Comparison.AT_LEAST,
    warn=87.0,
    fail=93.0,
    provenance="observed: healthy GB10 reach 86 °C in long loads, power cuts seen at 88 to 92 °C (owner reports, "
    "2025-2026); 96 °C at most and slowdown at 98 °C follow from the headroom that one driver told",
)
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    seen.gpu()
    celsius = max(sample.supported_number("temperature.gpu") for sample in seen.samples)
    return judged(
        HOT,
        celsius,
        f"GPU at {celsius:g} °C",
        unit="Cel",
        locator="nvidia-smi temperature.gpu",
        action="Check that air gets through (front and back free, a cool room, the fan turning); lower the load, or "
        "cap the clocks with `nvidia-smi -lgc`, until it is below 85 °C",
    )
