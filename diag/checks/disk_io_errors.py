"""Did the kernel log errors of drives or file systems since boot?"""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.kernel_log import KERNEL_LOG_ELEVATED, KERNEL_LOG_SECONDS, KernelLogSeen, observe_kernel_log
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Errors of drives in the kernel log", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# The words of the kernel: block/blk-core.c, fs/buffer.c, drivers/nvme/host/pci.c, fs/ext4/super.c.
LOST = re.compile(
    r"controller is down; will reset|Removing after probe failure|Disabling device after reset failure"
    r"|critical medium error|EXT4-fs error|Remounting filesystem read-only|XFS .*(?:Corruption|Shutting down)"
)
TROUBLED = re.compile(r"\bI/O error,|Buffer I/O error|nvme\d+: I/O .*timeout|nvme\d+n\d+: I/O Cmd.*I/O Error")
GRADES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=2,
    provenance="kernel, the messages of the block layer, nvme, ext4 and xfs. Grade 1: a request failed, 2: a drive or "
    "file system was lost",
)

observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    log = seen.read()
    lost = [message for message, _ in log.matching(LOST)]
    troubled = [message for message, _ in log.matching(TROUBLED)]
    if not lost and not troubled:
        log.require_complete("no error of a drive is logged")
        return Finding(
            Status.PASS, "No error of a drive since boot", value=0, unit="1", threshold=GRADES, locator="kernel log"
        )
    last = (lost or troubled)[-1]
    return Finding(
        Status.FAIL if lost else Status.WARN,
        f"{len(lost) + len(troubled)} errors of drives, one {last.seconds:.0f} s after boot: {last.text[:300]}",
        value=2 if lost else 1,
        unit="1",
        threshold=GRADES,
        locator="kernel log",
        action="Save what matters off the node, stop the jobs, cut the power for a minute; then read the nvme checks"
        if lost
        else "Read `journalctl -k -g 'I/O'` for the device; if it is the NVMe drive, read its SMART log and back up",
        readings=(Reading("lost", len(lost), "1"), Reading("failed requests", len(troubled), "1")),
    )
