"""Is memory left? Judged beside pressure: a model server leaves little by design, and that alone is no fault."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.memory import GIB, Memory, observe_memory
from diag.nodekit.proc_files import MEMINFO
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Available memory", required=True)
LEFT = Threshold(
    Comparison.BELOW,
    warn=5.0,
    provenance="observed: GB10 served cleanly at 3.3 GiB and wedged from 3.8 GiB within a minute; 5 % is 6 GiB (2026)",
)
EMPTY_PERCENT = 1.6  # 2 GiB of a GB10
STALLED_PERCENT = 10.0

observe = observe_memory


def evaluate(seen: Memory) -> Finding:
    total = seen.sizes["MemTotal"]
    if "MemAvailable" not in seen.sizes:
        raise ValueError(f"{MEMINFO} has no MemAvailable")
    available = seen.sizes["MemAvailable"]
    percent = round(100 * available / total, 1)
    stalled = seen.pressure.full10 if seen.pressure is not None else None
    summary = f"{available / GIB:.1f} of {total / GIB:.1f} GiB ({percent:g} %) are available, {_waiting(stalled)}"
    action = "Stop or shrink a job now (GPU memory is the same memory); a GB10 that runs out wedges within a minute"
    finding = judged(
        LEFT,
        percent,
        summary,
        action=action,
        unit="%",
        locator=MEMINFO,
        readings=(Reading("MemAvailable", available, "By"), Reading("pressure full avg10", stalled, "%")),
    )
    if percent < EMPTY_PERCENT and stalled is not None and stalled > STALLED_PERCENT:
        return Finding(
            Status.FAIL, summary, value=percent, unit="%", threshold=LEFT, locator=MEMINFO, action=action,
            readings=finding.readings,
        )  # fmt: skip
    return finding


def _waiting(stalled: float | None) -> str:
    if stalled is None:
        return "and whether tasks wait for memory cannot be told"
    return f"and all work waited for memory {stalled:g} % of the last 10 s"
