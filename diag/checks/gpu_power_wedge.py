"""Does a busy GPU crawl at a fraction of its clock and power? Its power delivery is stuck then.

The fault shows under load only: an idle GPU has low clocks because it is idle. Reboots do not clear it.
"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.nvidia_smi import (
    APPLICATION_CLOCKS,
    BUSY_PERCENT,
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
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="GPU clocks under load", seconds=GPU_SECONDS)
CLOCK_FLOOR = 1400.0
CLOCK = Threshold(
    Comparison.BELOW,
    warn=CLOCK_FLOOR,
    fail=1000.0,
    provenance="observed: stuck units run at 513 to 799 MHz and 10 to 19.5 W at 90 % and more utilisation, healthy "
    "ones above 2100 MHz (public owner reports, 2025-2026)",
)
STUCK_WATTS = 25.0
HOT_CELSIUS = 75.0
EXPLAINED = {
    HW_THERMAL | SW_THERMAL: "thermal slowdown",
    HW_SLOWDOWN | HW_POWER_BRAKE: "hardware slowdown or the power brake",
    APPLICATION_CLOCKS: "a clock setting",
}
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    gpu = seen.gpu()
    busy = min(sample.supported_number("utilization.gpu") for sample in seen.samples)
    if busy < BUSY_PERCENT:
        raise NotApplicable(f"the GPU is {busy:g} % busy: clocks are judged from {BUSY_PERCENT:g} % on")
    clock = max(sample.supported_number("clocks.sm") for sample in seen.samples)
    status = CLOCK.judge(clock)
    if status != Status.PASS:
        _require_unexplained(seen.samples, gpu, clock)
    watts = max(sample.supported_number("power.draw") for sample in seen.samples)
    if status == Status.FAIL and (watts >= STUCK_WATTS or len(seen.samples) < 2):
        status = Status.WARN  # one look may catch a clock between two kernels
    return Finding(
        status,
        f"GPU {busy:g} % busy at {clock:g} MHz and {watts:g} W in each of {len(seen.samples)} looks",
        value=clock,
        unit="MHz",
        threshold=CLOCK,
        locator="nvidia-smi clocks.sm",
        action=None
        if status == Status.PASS
        else "Look again under load; if it stays, drain the node, shut it down, pull the power at the wall for 2 "
        "minutes (a reboot does not clear it) and boot; a unit that comes back the same is a case for the maker",
        readings=_readings(seen.samples),
    )


def _require_unexplained(samples: tuple[Gpu, ...], gpu: Gpu, clock: float) -> None:
    """Raise Unevaluated where something else explains low clocks."""
    held = 0
    for sample in samples:
        held |= sample.reasons()
    why = next((words for bits, words in EXPLAINED.items() if held & bits), None)
    if why is None and max(sample.supported_number("temperature.gpu") for sample in samples) >= HOT_CELSIUS:
        why = f"a temperature above {HOT_CELSIUS:g} °C"
    if why is None and 0 < _setting(gpu) < CLOCK_FLOOR:
        why = f"application clocks set to {_setting(gpu):g} MHz"
    if why is not None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the GPU is busy at only {clock:g} MHz, which {why} may explain")


def _setting(gpu: Gpu) -> float:
    try:
        return gpu.number("clocks.applications.graphics")
    except (NotApplicable, Unevaluated, ValueError):
        return 0.0


def _readings(samples: tuple[Gpu, ...]) -> tuple[Reading, ...]:
    fields = {"utilization.gpu": "%", "clocks.sm": "MHz", "power.draw": "W", "temperature.gpu": "Cel"}
    return tuple(
        Reading(f"sample {index} {field}", sample.cells.get(field, "")[:120], unit)
        for index, sample in enumerate(samples, start=1)
        for field, unit in fields.items()
    )
