"""Did the kernel find processors or tasks stuck since boot?"""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold
from diag.nodekit.kernel_log import (
    KERNEL_LOG_ELEVATED,
    KERNEL_LOG_SECONDS,
    KernelLogSeen,
    Symptom,
    graded,
    observe_kernel_log,
)
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Stuck processors and tasks", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# The words of the kernel: kernel/rcu/tree_stall.h, kernel/watchdog.c, kernel/hung_task.c.
STUCK = Symptom(
    re.compile(r"rcu: INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stall|BUG: soft lockup|hard LOCKUP"),
    "stuck processors",
    "Save `journalctl -k -b`, drain the node and reboot it: stalls come before a freeze",
)
HUNG = Symptom(
    re.compile(r"INFO: task .* blocked for more than \d+ seconds"),
    "hung tasks",
    "See what the task waits for (`journalctl -k -g blocked`): storage, a network mount or the GPU driver",
)
GRADES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=2,
    provenance="kernel, Documentation/RCU/stallwarn.rst and admin-guide/lockup-watchdogs.rst; RCU stalls came "
    "before freezes of GB10 (owner reports, 2026). Grade 1: a task hung, 2: a processor was stuck",
)

observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    return graded(seen.read(), HUNG, STUCK, GRADES)
