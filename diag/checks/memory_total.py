"""Is all of the memory there?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.memory import GIB
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import Unevaluated
from diag.nodekit.proc_files import MEMINFO, meminfo
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="Size of memory", required=True)
GB10_TOTAL = Threshold(
    Comparison.BELOW,
    warn=110 * GIB,
    fail=100 * GIB,
    provenance="observed: 112.3 to 121.7 GiB on healthy GB10 by firmware and kernel (public owner reports, 2025-2026)",
)


@dataclass(frozen=True)
class Total:
    """MemTotal in bytes, and whether this is a GB10."""

    size: int
    is_gb10: bool | None


def observe(machine: Machine) -> Total:
    return Total(meminfo(machine)["MemTotal"], platform_evidence(machine).is_gb10)


def evaluate(seen: Total) -> Finding:
    words = f"{seen.size / GIB:.1f} GiB of memory"
    if seen.is_gb10 is False:
        return Finding(
            Status.PASS,
            f"{words}; this is no GB10, so no size is expected",
            value=seen.size,
            unit="By",
            locator=MEMINFO,
        )
    finding = judged(
        GB10_TOTAL,
        seen.size,
        f"{words}; a GB10 shows 112 to 122 GiB",
        action="See the memory reserve in the firmware set-up and `mem=` in /proc/cmdline; then cycle the power",
        unit="By",
        locator=MEMINFO,
    )
    if finding.status != Status.PASS and seen.is_gb10 is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{words}; whether this is a GB10 cannot be told")
    return finding
