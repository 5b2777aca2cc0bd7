"""What the drive counts: facts for a bastion that compares visits, and no evidence of any boot.

An unsafe shutdown is a loss of power before the drive was told of it. Alone the counter proves nothing: it stays at 0
in virtual machines, and there are boards on which each ordinary reboot raises it.
"""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.nvme import SMART_LOG, SMART_SECONDS, Smart, observe_smart, parse_smart
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.reset.evidence import Report
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = SMART_SECONDS
ELEVATED = (SMART_LOG,)
RECORDED = "/cmd/nvme-smart-log.json"
MAX_BYTES, MAX_COUNT = 256 * 1024, 2**53 - 1


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """Facts `unsafe_shutdowns` and `power_cycles` of the first drive, those that it tells.

    Raises PermissionError, MissingTool, Unevaluated, ValueError; NotApplicable on a machine that has no such drive.
    """
    counts = counts_of(_smart(machine))
    known = {key: value for key, value in counts.items() if value is not None}
    if not known:
        raise Unevaluated(UnknownReason.PRECONDITION, "the smart-log has no counters of shutdowns")
    partial = len(known) < len(counts)
    return Report(
        Source.NVME,
        SourceState.PARTIAL if partial else SourceState.READ,
        f"the smart-log has no {' and no '.join(key for key in counts if key not in known)}" if partial else None,
        facts=known,
    )


def counts_of(smart: Smart) -> dict[str, int | None]:
    """`unsafe_shutdowns` and `power_cycles`, None for what the log does not tell."""
    return {"unsafe_shutdowns": _count(smart.unsafe_shutdowns), "power_cycles": _count(smart.power_cycles)}


def _smart(machine: Machine) -> Smart:
    if machine.as_live or not machine.exists(RECORDED):
        return observe_smart(machine)
    text = machine.read(RECORDED, MAX_BYTES)
    if not text:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{RECORDED} is empty: the command printed nothing")
    return parse_smart(text)


def _count(value: float | None) -> int | None:
    """A counter, None for what is none or too large to be passed on."""
    return int(value) if value is not None and value.is_integer() and 0 <= value <= MAX_COUNT else None
