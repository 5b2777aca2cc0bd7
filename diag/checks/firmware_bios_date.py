"""Which firmware does the board run, and from when? Reported: its date stays old while newer parts are installed."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.dmi import DMI, dmi_value, parse_bios_date
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Firmware version and date")


@dataclass(frozen=True)
class Bios:
    """As SMBIOS has them; None where it has none."""

    vendor: str | None
    version: str | None
    date: str | None


def observe(machine: Machine) -> Bios:
    if not machine.exists(DMI):
        # Every GB10 has SMBIOS: where it does not show, part of the tree is missing.
        if machine.names("/sys/class") and platform_evidence(machine).is_gb10 is False:
            raise NotApplicable("the firmware of this machine has no SMBIOS")
        raise Unevaluated(UnknownReason.PRECONDITION, f"there is no {DMI}, and a GB10 has SMBIOS")
    return Bios(*(dmi_value(machine, name) for name in ("bios_vendor", "bios_version", "bios_date")))


def evaluate(seen: Bios) -> Finding:
    if seen.date is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{DMI}/bios_date is empty")
    date = parse_bios_date(seen.date).isoformat()
    return Finding(
        Status.PASS,
        f"Firmware {seen.version or 'of unnamed version'} of {date}",
        value=date,
        locator=f"{DMI}/bios_date",
        readings=(Reading("bios_version", seen.version), Reading("bios_vendor", seen.vendor)),
    )
