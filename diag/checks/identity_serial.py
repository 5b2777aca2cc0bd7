"""Is there a serial number, and do the firmware and the factory image agree on it?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.dmi import DMI
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.node_facts import PLACEHOLDER_SERIALS
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import MissingTool, NotApplicable, Unevaluated
from diag.nodekit.release import DGX_RELEASE, release_values
from diag.nodekit.vocabulary import Status, UnknownReason

SMBIOS_SERIAL = f"{DMI}/product_serial"
READ_SERIAL = ("/usr/bin/cat", SMBIOS_SERIAL)
CHECK = Check(title="Serial number", elevated=(READ_SERIAL,))


@dataclass(frozen=True)
class Serials:
    """Serial numbers by source, None where a source has none; `hidden` when SMBIOS keeps its own from us.

    `has_smbios` says whether the kernel shows SMBIOS, `listed` whether /sys/class could be listed at all, `is_gb10`
    what machine this is (None: not known).
    """

    smbios: str | None
    release: str | None
    hidden: bool
    has_smbios: bool
    listed: bool
    is_gb10: bool | None


def observe(machine: Machine) -> Serials:
    release = release_values(machine.read_or_none(DGX_RELEASE) or "").get("DGX_SERIAL_NUMBER")
    try:
        smbios, hidden = _from_smbios(machine), False
    except PermissionError:
        smbios, hidden = None, True
    listed, is_gb10 = bool(machine.names("/sys/class")), platform_evidence(machine).is_gb10
    return Serials(_real(smbios), _real(release), hidden, machine.exists(DMI), listed, is_gb10)


def evaluate(seen: Serials) -> Finding:
    readings = (
        Reading("SMBIOS", seen.smbios, locator=SMBIOS_SERIAL),
        Reading("DGX_SERIAL_NUMBER", seen.release, locator=DGX_RELEASE),
    )
    if seen.smbios and seen.release and seen.smbios.lower() != seen.release.lower():
        return Finding(
            Status.FAIL,
            f"SMBIOS says serial {seen.smbios}, {DGX_RELEASE} says {seen.release}",
            value=seen.smbios,
            locator=SMBIOS_SERIAL,
            action="Compare with the label on the case: the drive or its image comes from another unit",
            readings=readings,
        )
    serial = seen.smbios or seen.release
    if serial:
        return Finding(Status.PASS, f"Serial {serial}, {_source(seen)}", value=serial, readings=readings)
    if seen.hidden:
        raise Unevaluated(UnknownReason.NOT_PERMITTED, f"{SMBIOS_SERIAL} needs root and {DGX_RELEASE} has no serial")
    if not seen.listed:
        raise Unevaluated(UnknownReason.PRECONDITION, "/sys/class lists nothing")
    if not seen.has_smbios and seen.is_gb10 is not False:
        raise Unevaluated(UnknownReason.PRECONDITION, f"there is no {DMI}, and a GB10 has SMBIOS")
    if not seen.has_smbios:
        raise NotApplicable(f"the firmware has no SMBIOS and {DGX_RELEASE} has no serial")
    return Finding(
        Status.WARN,
        f"Neither SMBIOS nor {DGX_RELEASE} holds a serial number",
        locator=SMBIOS_SERIAL,
        action="Read the serial from the label on the case and enter it in the inventory by hand",
        readings=readings,
    )


def _from_smbios(machine: Machine) -> str | None:
    try:
        return machine.read_or_none(SMBIOS_SERIAL)
    except PermissionError:
        try:
            ran = machine.run(READ_SERIAL, seconds=2.0, elevate=True)
        except MissingTool as missing:
            raise PermissionError(f"{SMBIOS_SERIAL} needs root") from missing
        if ran.exit_status != 0:
            raise PermissionError(f"{SMBIOS_SERIAL} cannot be read: {ran.stderr.strip()}") from None
        return ran.stdout


def _source(seen: Serials) -> str:
    if seen.smbios and seen.release:
        return "on which SMBIOS and the factory image agree"
    if seen.smbios:
        return "from SMBIOS"
    return f"from {DGX_RELEASE}" + ("; SMBIOS needs root" if seen.hidden else "")


def _real(serial: str | None) -> str | None:
    stripped = (serial or "").strip()
    filler = stripped.lower() in PLACEHOLDER_SERIALS or not stripped.strip("0")
    return None if filler else stripped
