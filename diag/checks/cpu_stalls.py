"""Did the kernel find processors or tasks stuck since boot?"""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.kernel_log import KERNEL_LOG_ELEVATED, KERNEL_LOG_SECONDS, KernelLogSeen, observe_kernel_log
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Stuck processors and tasks", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# The words of the kernel: kernel/rcu/tree_stall.h, kernel/watchdog.c, kernel/hung_task.c.
STUCK = re.compile(r"rcu: INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stall|BUG: soft lockup|hard LOCKUP")
HUNG = re.compile(r"INFO: task .* blocked for more than \d+ seconds")
GRADES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=2,
    provenance="kernel, Documentation/RCU/stallwarn.rst and admin-guide/lockup-watchdogs.rst; RCU stalls came "
    "before freezes of GB10 (owner reports, 2026). Grade 1: a task hung, 2: a processor was stuck",
)

observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    log = seen.read()
    stuck = [message for message, _ in log.matching(STUCK)]
    hung = [message for message, _ in log.matching(HUNG)]
    if not stuck and not hung:
        log.require_complete("no stall is logged")
        return Finding(
            Status.PASS, "No processor or task was stuck since boot", value=0, unit="1", threshold=GRADES,
            locator="kernel log",
        )  # fmt: skip
    last = (stuck or hung)[-1]
    return Finding(
        Status.FAIL if stuck else Status.WARN,
        f"{len(stuck)} stuck processors and {len(hung)} hung tasks, {last.seconds:.0f} s after boot: {last.text[:300]}",
        value=2 if stuck else 1,
        unit="1",
        threshold=GRADES,
        locator="kernel log",
        action="Save `journalctl -k -b`, drain the node and reboot it: stalls come before a freeze"
        if stuck
        else "See what the task waits for (`journalctl -k -g blocked`): storage, a network mount or the GPU driver",
        readings=(Reading("stuck processors", len(stuck), "1"), Reading("hung tasks", len(hung), "1")),
    )
