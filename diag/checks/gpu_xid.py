"""Which Xid errors did the NVIDIA driver log since boot?"""

from __future__ import annotations

import re
from collections import Counter

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.kernel_log import (
    KERNEL_LOG_ELEVATED,
    KERNEL_LOG_SECONDS,
    LOCATOR,
    KernelLogSeen,
    Message,
    observe_kernel_log,
)
from diag.nodekit.printable import age, times
from diag.nodekit.problems import NotApplicable
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Xid errors since boot", seconds=KERNEL_LOG_SECONDS, elevated=KERNEL_LOG_ELEVATED)
# `NVRM: Xid (PCI:000f:01:00): 119, pid=3849, name=KMS thread, Timeout after 45s of waiting for RPC response ...`
XID = re.compile(r"NVRM: Xid \(PCI:[0-9a-fA-F:.]+\): (\d+),")
RECOVERED = "to 0x0 (None)"  # Xid 154 also tells that nothing is pending any more
INIT_FAILED = re.compile(r"NVRM: .*(?:RmInitAdapter failed|fallen off the bus|boot partition timed out)")
# The application did it, the node is fine.
APPLICATION = {13: "exception of a program", 31: "page fault of a program", 43: "a program was stopped",
               45: "channels torn down", 94: "contained memory error"}  # fmt: skip
FATAL = {
    48: "double bit memory error", 62: "microcontroller halted", 64: "row remapping failed", 74: "NVLink error",
    79: "GPU fell off the bus", 95: "uncontained memory error", 119: "GSP does not answer", 120: "GSP error",
    140: "unrecovered memory error", 154: "recovery action needed", 169: "driver of the wrong flavour",
}  # fmt: skip
GRADES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    fail=2,
    provenance="NVIDIA Xid error catalogue; 119, 120, 154 and 169 seen on GB10 that needed a reboot (owner reports, "
    "2025-2026). Grade 1: a program's fault or unclassified, 2: the GPU's",
)


observe = observe_kernel_log


def evaluate(seen: KernelLogSeen) -> Finding:
    if seen.is_gb10 is False:
        raise NotApplicable("this machine is not a GB10")
    log = seen.read()
    hits = [(message, int(match[1])) for message, match in log.matching(XID) if not message.text.endswith(RECOVERED)]
    broken = [message for message, _ in log.matching(INIT_FAILED)]
    if not hits and not broken:
        log.require_complete("no Xid is logged")
        return Finding(Status.PASS, "No Xid since boot", value=0, unit="1", threshold=GRADES, locator=LOCATOR)
    return _found(hits, broken)


def _found(hits: list[tuple[Message, int]], broken: list[Message]) -> Finding:
    counts = Counter(code for _, code in hits)
    fatal = [code for code in counts if code in FATAL]
    grade = 2 if fatal or broken else 1
    if fatal or not broken:
        code = max(fatal or counts, key=lambda number: counts[number])
        message = next(message for message, number in reversed(hits) if number == code)
        summary = (
            f"Xid {code} ({FATAL.get(code) or APPLICATION.get(code, 'not classified here')}) {times(counts[code])}"
        )
    else:
        message, summary = broken[-1], "The driver could not start the GPU"
    return Finding(
        Status.FAIL if grade == 2 else Status.WARN,
        f"{summary}, last {age(message.seconds)} after boot: {message.text[:300]}",
        value=grade,
        unit="1",
        threshold=GRADES,
        locator=LOCATOR,
        action="Save the kernel log, drain the node and reboot it; cut the power for a minute if it comes back (for "
        "Xid 169, install the open kernel module)"
        if grade == 2
        else "Look for the program that the line names; the node itself can go on",
        readings=tuple(Reading(f"Xid {code}", count, "1") for code, count in sorted(counts.items())[:100]),
    )
