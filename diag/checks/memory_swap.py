"""Is swap filling up while work waits for memory?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.memory import GIB, Memory, observe_memory
from diag.nodekit.problems import NotApplicable
from diag.nodekit.proc_files import MEMINFO
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Swap in use")
USED = Threshold(
    Comparison.ABOVE,
    warn=50.0,
    provenance="observed: GB10 used 4 to 15 GiB of swap in healthy runs, so it only warns with memory pressure (2026)",
)
WAITING_PERCENT = 5.0

observe = observe_memory


def evaluate(seen: Memory) -> Finding:
    total, free = seen.sizes.get("SwapTotal"), seen.sizes.get("SwapFree")
    if total is None or free is None:
        raise ValueError(f"{MEMINFO} does not tell of swap")
    if total == 0:
        raise NotApplicable("no swap is set up, as many owners choose")
    used = round(100 * (total - free) / total, 1)
    waited = seen.pressure.full60 if seen.pressure is not None else None
    warns = USED.judge(used) == Status.WARN and waited is not None and waited > WAITING_PERCENT
    told = "pressure unknown" if waited is None else f"all work waited for memory {waited:g} % of the last minute"
    return Finding(
        Status.WARN if warns else Status.PASS,
        f"{used:g} % of {total / GIB:.1f} GiB swap are in use, {told}",
        value=used,
        unit="%",
        threshold=USED,
        locator=MEMINFO,
        action="Stop or shrink a job: memory and swap fill up together before a GB10 wedges" if warns else None,
        readings=(Reading("SwapTotal", total, "By"), Reading("SwapFree", free, "By")),
    )
