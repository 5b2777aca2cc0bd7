"""Does a firmware update wait for the next boot? Such a boot takes minutes longer and must not be cut short."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Firmware update waiting for a boot")
FIRMWARE = "/sys/firmware"
VARIABLES = "/sys/firmware/efi/efivars"
ATTRIBUTES = 4  # bytes that the kernel puts before a variable
# fwupd keeps one variable for each update: version 4, GUID 16, flags 4, instance 8, time 16, then its status.
FWUPD = re.compile(r"fwupd-([0-9a-f-]{36})-\d+-0abba7dc-e516-4167-bbf5-4d9d1c739416")
STATUS_AT = slice(ATTRIBUTES + 48, ATTRIBUTES + 52)
TO_BE_TRIED = 1
# UEFI specification, section 8.5.4: the boot loader asks the firmware to look for capsules on the disk.
INDICATIONS = "OsIndications-8be4df61-93ca-11d2-aa0d-00e098032b8c"
CAPSULE_ON_DISK = 0x4


@dataclass(frozen=True)
class Updates:
    """GUIDs of firmware with an update that waits, and whether capsules on the disk are announced."""

    waiting: tuple[str, ...]
    on_disk: bool


def observe(machine: Machine) -> Updates:
    names = machine.names(VARIABLES)
    if not names:
        if machine.names(FIRMWARE) and not machine.exists(f"{FIRMWARE}/efi"):
            raise NotApplicable("this machine did not boot through UEFI")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{VARIABLES} lists nothing")
    matches = [match for match in map(FWUPD.fullmatch, names) if match is not None]
    waiting = tuple(match[1] for match in matches if _status(machine, match[0]) == TO_BE_TRIED)
    return Updates(waiting, INDICATIONS in names and bool(_indications(machine) & CAPSULE_ON_DISK))


def evaluate(seen: Updates) -> Finding:
    if not seen.waiting and not seen.on_disk:
        return Finding(Status.PASS, "No firmware update waits for a boot", value=0, unit="1", locator=VARIABLES)
    what = f"{len(seen.waiting)} firmware updates wait" if seen.waiting else "A firmware update on the disk waits"
    return Finding(
        Status.WARN,
        f"{what} for the next boot",
        value=max(1, len(seen.waiting)),
        unit="1",
        locator=VARIABLES,
        action="Drain the node and reboot it in a window, power secured; `fwupdmgr get-history` tells what waits",
        readings=tuple(Reading("firmware", guid, locator=VARIABLES) for guid in seen.waiting[:50]),
    )


def _status(machine: Machine, name: str) -> int:
    content = machine.read_bytes(f"{VARIABLES}/{name}", STATUS_AT.stop)
    if len(content) < STATUS_AT.stop:
        raise ValueError(f"{name} is too short for an update of fwupd")
    return int.from_bytes(content[STATUS_AT], "little")


def _indications(machine: Machine) -> int:
    return int.from_bytes(machine.read_bytes(f"{VARIABLES}/{INDICATIONS}", 12)[ATTRIBUTES:], "little")
