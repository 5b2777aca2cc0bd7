"""Did a network driver stop sending since boot?"""

from __future__ import annotations

import re
from collections import Counter

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.kernel_log import KERNEL_LOG_ELEVATED, KERNEL_LOG_SECONDS, LOCATOR, KernelLogSeen, observe_kernel_log
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Stalled network transmitters", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# Old: `NETDEV WATCHDOG: enP7s7 (r8127): transmit queue 0 timed out 5420 ms`;
# new: `r8127 0007:01:00.0 enP7s7: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5420 ms`.
STALLED = re.compile(r"(?:(\S{1,40}): )?NETDEV WATCHDOG: (?:CPU: \d+|(\S+) \(\S+\)): transmit queue \d+ timed out")
TIMES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=10,
    provenance="kernel, net/sched/sch_generic.c dev_watchdog; seen with r8127 on GB10 (owner report, 2026); the count "
    "is judgement",
)
observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    log = seen.read()
    hits = log.matching(STALLED)
    names = Counter(match[2] or match[1] or "an interface" for _, match in hits)
    worst = names.most_common(1)[0][0] if names else ""
    finding = judged(
        TIMES,
        len(hits),
        f"{worst} stopped sending {names[worst]} times, last {hits[-1][0].seconds:.0f} s after boot"
        if hits
        else "No network driver stopped sending since boot",
        unit="1",
        locator=LOCATOR,
        action=f"Set {worst} down and up at a quiet time; update its driver and firmware if it comes back, or use "
        "another port",
        readings=tuple(Reading(name[:120], count, "1") for name, count in names.most_common(20)),
    )
    return log.vouch(finding, "no stalled transmitter is logged")
