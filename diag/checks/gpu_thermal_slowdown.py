"""Does heat, or the power brake, hold the GPU's clocks down right now?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.nvidia_smi import (
    GPU_SECONDS,
    HW_POWER_BRAKE,
    HW_SLOWDOWN,
    HW_THERMAL,
    SW_THERMAL,
    Gpu,
    GpuSeen,
    observe_gpu,
)
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="GPU clocks held down by heat", seconds=GPU_SECONDS)
HELD = Threshold(
    Comparison.ABOVE,
    warn=0,
    provenance="NVML API reference, nvmlClocksEventReasons; short slowdowns at 86 to 90 °C happen on stock cooling "
    "(owner reports, 2026), so one look never fails",
)
SLOWDOWNS = {
    HW_THERMAL: "hardware thermal slowdown",
    SW_THERMAL: "software thermal slowdown",
    HW_POWER_BRAKE: "hardware power brake",
    HW_SLOWDOWN: "hardware slowdown",
}
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    seen.gpu()
    reasons = [sample.reasons() for sample in seen.samples]
    held = {bit: words for bit, words in SLOWDOWNS.items() if any(reason & bit for reason in reasons)}
    bits = sum(held)
    readings = tuple(
        Reading(f"sample {index} clocks_event_reasons.active", f"0x{reason:x}")
        for index, reason in enumerate(reasons, start=1)
    )
    return Finding(
        Status.WARN if held else Status.PASS,
        f"Clocks are held down by {' and '.join(held.values())}{_at(seen.samples[0])}"
        if held
        else "Neither heat nor the power brake holds the clocks down",
        value=bits,
        unit="1",
        threshold=HELD,
        locator="nvidia-smi clocks_event_reasons.active",
        action="Look again in a minute; if it lasts, check the air flow, the power supply (the one that came with "
        "the machine) and lower the load"
        if held
        else None,
        readings=readings,
    )


def _at(gpu: Gpu) -> str:
    try:
        return f", GPU at {gpu.number('temperature.gpu'):g} °C"
    except (NotApplicable, Unevaluated, ValueError):
        return ""
