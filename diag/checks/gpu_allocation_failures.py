"""Did the NVIDIA driver run out of memory in bursts? Single lines are usual; a storm comes before a wedge."""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.kernel_log import KERNEL_LOG_ELEVATED, KERNEL_LOG_SECONDS, LOCATOR, KernelLogSeen, observe_kernel_log
from diag.nodekit.problems import NotApplicable
from diag.nodekit.vocabulary import Comparison

CHECK = Check(
    title="Failed memory allocations of the GPU driver", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED
)
FAILED = re.compile(r"NVRM: .*NV_ERR_NO_MEMORY")
HOUR = 3600.0
STORM = Threshold(
    Comparison.AT_LEAST,
    warn=50,
    provenance="observed: 55 lines in 60 h on a healthy GB10, 198 to 203 at a wedge (public owner reports, 2026)",
)
observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    if seen.is_gb10 is False:
        raise NotApplicable("this machine is not a GB10")
    log = seen.read()
    moments = [message.seconds for message, _ in log.matching(FAILED)]
    densest = _densest_hour(moments)
    finding = judged(
        STORM,
        densest,
        f"{len(moments)} failed allocations of the GPU driver since boot, at most {densest} within an hour",
        unit="1",
        locator=LOCATOR,
        action="Compare with memory.pressure now; give the serving engine a smaller share of memory, and reboot if the "
        "node is slow while memory is free",
        readings=(Reading("since boot", len(moments), "1"),),
    )
    return log.vouch(finding, "no storm of failed allocations is logged")


def _densest_hour(moments: list[float]) -> int:
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > HOUR:
            first += 1
        most = max(most, last - first + 1)
    return most
