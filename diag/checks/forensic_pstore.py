"""Would a kernel that crashes leave a record, and would it be saved? boot.pstore judges the records that are there."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.local_units import FOLDERS, enabled
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Crash records are written and saved")
BACKEND = "/sys/module/pstore/parameters/backend"
MODULES = "/sys/module"
FIRMWARE = "/sys/firmware"
NO_BACKEND = ("", "(null)")  # what the kernel prints for a text that was never set
UNIT = "systemd-pstore.service"
UNIT_FILE = f"/usr/lib/systemd/system/{UNIT}"
MASK = "/dev/null"


@dataclass(frozen=True)
class Readiness:
    """The backend, and what becomes of the unit that saves records."""

    backend: str
    installed: bool
    wanted: bool
    masked: bool


def observe(machine: Machine) -> Readiness:
    backend = machine.read_or_none(BACKEND)
    if backend is None:
        if machine.names(MODULES):
            raise NotApplicable("this kernel has no pstore")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{MODULES} lists nothing")
    if backend in NO_BACKEND and not machine.exists(f"{FIRMWARE}/efi"):
        if machine.names(FIRMWARE):
            raise NotApplicable("this machine did not boot through UEFI: no firmware memory takes crash records")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{FIRMWARE} lists nothing")
    return Readiness(
        backend,
        machine.exists(UNIT_FILE),
        UNIT in enabled(machine),
        machine.link_target(f"{FOLDERS[0]}/{UNIT}") == MASK,
    )


def evaluate(seen: Readiness) -> Finding:
    readings = (Reading("backend", seen.backend, locator=BACKEND), Reading(UNIT, _state(seen)))
    if seen.backend in NO_BACKEND:
        return Finding(
            Status.WARN,
            "No firmware memory is registered for crash records: a panic leaves none",
            value=False,
            locator=BACKEND,
            action="Run `modprobe efi_pstore` and load it at boot; look for `pstore` in `journalctl -k -b` if it fails",
            readings=readings,
        )
    if not (seen.installed and seen.wanted) or seen.masked:
        return Finding(
            Status.WARN,
            f"{UNIT} is {_state(seen)}: crash records of {seen.backend} stay in firmware memory until that is full",
            value=False,
            locator=UNIT_FILE,
            action=f"Run `systemctl unmask {UNIT} && systemctl enable {UNIT}`; it moves them to the disk",
            readings=readings,
        )
    return Finding(
        Status.PASS,
        f"{seen.backend} takes crash records and {UNIT} saves them",
        value=True,
        locator=BACKEND,
        readings=readings,
    )


def _state(seen: Readiness) -> str:
    if seen.masked:
        return "masked"
    if not seen.installed:
        return "not installed"
    return "enabled" if seen.wanted else "not enabled"
