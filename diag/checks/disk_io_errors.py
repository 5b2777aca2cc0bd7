"""Did the kernel log errors of drives or file systems since boot?"""

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

CHECK = Check(title="Errors of drives in the kernel log", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# The words of the kernel: block/blk-core.c, fs/buffer.c, drivers/nvme/host/pci.c, fs/ext4/super.c.
LOST = Symptom(
    re.compile(
        r"controller is down; will reset|Removing after probe failure|Disabling device after reset failure"
        r"|critical medium error|EXT4-fs error|Remounting filesystem read-only|XFS .*(?:Corruption|Shutting down)"
    ),
    "lost drives or file systems",
    "Save what matters off the node, stop the jobs, cut the power for a minute; then read the nvme checks",
)
TROUBLED = Symptom(
    re.compile(r"\bI/O error,|Buffer I/O error|nvme\d+: I/O .*timeout|nvme\d+n\d+: I/O Cmd.*I/O Error"),
    "failed requests",
    "Read `journalctl -k -g 'I/O'` for the device; if it is the NVMe drive, read its SMART log and back up",
)
GRADES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=2,
    provenance="kernel, the messages of the block layer, nvme, ext4 and xfs. Grade 1: a request failed, 2: a drive or "
    "file system was lost",
)

observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    return graded(seen.read(), TROUBLED, LOST, GRADES)
