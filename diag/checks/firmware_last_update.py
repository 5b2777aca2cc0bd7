"""Did the last firmware update of each part succeed? The firmware keeps its own account of that (ESRT)."""

from __future__ import annotations

from typing import Any

from diag.nodekit.check import Check
from diag.nodekit.esrt import ENTRIES, READ_ALL, esrt
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Last firmware update", elevated=(READ_ALL,))
FIRMWARE = "/sys/firmware"
# UEFI specification, section 23.4: LastAttemptStatus.
WORDS = {
    1: "it did not succeed", 2: "not enough resources", 3: "wrong version", 4: "wrong format",
    5: "the signature was refused", 6: "no mains power", 7: "not enough battery", 8: "a dependency is not met",
}  # fmt: skip


def observe(machine: Machine) -> dict[str, Any]:
    found = esrt(machine)
    if found:
        return found
    if found is None and not machine.names(FIRMWARE):
        raise Unevaluated(UnknownReason.PRECONDITION, f"{FIRMWARE} lists nothing")
    raise NotApplicable("the firmware has no table of what can be updated")


def evaluate(seen: dict[str, Any]) -> Finding:
    failed = {guid: entry for guid, entry in seen.items() if _failed(entry)}
    if not failed:
        return Finding(
            Status.PASS,
            f"None of {len(seen)} firmware parts failed its last update",
            value=0,
            unit="1",
            locator=ENTRIES,
        )
    guid, entry = min(failed.items())
    status = entry["last_attempt_status"]
    return Finding(
        Status.WARN,
        f"The update of firmware {guid} to {entry.get('last_attempt_version', 0):#010x} failed: "
        f"{WORDS.get(status, f'status {status}')}",
        value=len(failed),
        unit="1",
        locator=ENTRIES,
        action="Read `fwupdmgr get-history`, secure the power, and install the update once more in a window",
        readings=tuple(Reading(name, one["last_attempt_status"], "1", ENTRIES) for name, one in sorted(failed.items())),
    )


def _failed(entry: dict[str, Any]) -> bool:
    """A version that runs now was installed after all."""
    return bool(entry.get("last_attempt_status")) and entry.get("last_attempt_version") != entry.get("version")
