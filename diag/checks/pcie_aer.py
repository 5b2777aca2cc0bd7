"""Did a PCI function count uncorrected errors since boot?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.machine import Machine
from diag.nodekit.pci import Function, aer_totals, pci_functions
from diag.nodekit.platform import PCI_DEVICES, platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="PCIe errors")
# Corrected errors are told but never judged: each removal of a ConnectX-7 cable makes one.
UNCORRECTED = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    provenance="kernel, Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats; a single fatal error fails",
)


@dataclass(frozen=True)
class Counted:
    """Errors since boot by kind, for each function that counts; `total` functions are on the bus."""

    errors: tuple[tuple[Function, dict[str, int]], ...]
    total: int
    is_gb10: bool | None


def observe(machine: Machine) -> Counted:
    functions = pci_functions(machine)
    pairs = ((function, aer_totals(machine, function)) for function in functions)
    errors = tuple((function, totals) for function, totals in pairs if totals is not None)
    return Counted(errors, len(functions), platform_evidence(machine).is_gb10)


def evaluate(seen: Counted) -> Finding:
    if not seen.errors:
        if seen.is_gb10 is False:
            raise NotApplicable(f"none of {seen.total} PCI functions counts errors")
        raise Unevaluated(UnknownReason.PRECONDITION, f"none of {seen.total} PCI functions shows its error counters")
    fatal, nonfatal, corrected = (
        sum(totals.get(kind, 0) for _, totals in seen.errors) for kind in ("fatal", "nonfatal", "correctable")
    )
    worst, totals = max(seen.errors, key=lambda pair: (pair[1].get("fatal", 0), pair[1].get("nonfatal", 0)))
    status = Status.FAIL if fatal else Status.WARN if nonfatal else Status.PASS
    return Finding(
        status,
        f"{worst.label} counts {totals.get('fatal', 0)} fatal and {totals.get('nonfatal', 0)} other uncorrected errors"
        if status != Status.PASS
        else f"No uncorrected error on {len(seen.errors)} PCI functions since boot, {corrected} corrected ones",
        value=fatal + nonfatal,
        unit="1",
        threshold=UNCORRECTED,
        locator=f"{worst.where}/aer_dev_{'fatal' if fatal else 'nonfatal'}" if status != Status.PASS else PCI_DEVICES,
        action=None
        if status == Status.PASS
        else f"Read the kernel log for AER lines of {worst.address}; drain the node, cut the power for a minute, and "
        "see whether the count rises again",
        readings=_readings(seen),
    )


def _readings(seen: Counted) -> tuple[Reading, ...]:
    return tuple(
        Reading(f"{function.address} {kind}"[:120], count, "1")
        for function, totals in seen.errors
        for kind, count in totals.items()
        if count
    )[:100]
