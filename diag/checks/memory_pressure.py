"""Does all work stand still for memory? The sign of a node about to wedge, or wedged."""

from __future__ import annotations

from dataclasses import replace

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.memory import Memory, observe_memory
from diag.nodekit.problems import Unevaluated
from diag.nodekit.proc_files import PRESSURE
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="Pressure on memory", required=True)
SOURCE = "observed: full avg10 went 0.08, 19, 92 % in two minutes while a GB10 wedged; healthy ones read 0 (2026)"
MINUTE = Threshold(Comparison.ABOVE, warn=5.0, fail=20.0, provenance=SOURCE)
TEN_SECONDS = Threshold(Comparison.ABOVE, fail=40.0, provenance=SOURCE)

observe = observe_memory


def evaluate(seen: Memory) -> Finding:
    waited = seen.pressure
    if seen.trouble is not None:
        raise seen.trouble
    if waited is None or waited.full10 is None or waited.full60 is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{PRESSURE}/memory does not tell how long all work waited")
    summary = (
        f"All work waited for memory {waited.full10:g} % of the last 10 s and {waited.full60:g} % of the last minute"
    )
    action = "Stop the largest job now, from the console if SSH hangs; if the node stays stuck, power it off and on"
    readings = (Reading("full avg10", waited.full10, "%"), Reading("full avg60", waited.full60, "%"))
    minute = judged(MINUTE, waited.full60, summary, action=action, unit="%", locator=f"{PRESSURE}/memory")
    if TEN_SECONDS.judge(waited.full10) == Status.FAIL and minute.status != Status.FAIL:
        sudden = judged(TEN_SECONDS, waited.full10, summary, action=action, unit="%", locator=f"{PRESSURE}/memory")
        return replace(sudden, readings=readings)
    return replace(minute, readings=readings)
