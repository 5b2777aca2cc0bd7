"""What should be one machine's alone, where it stands, and what fillers stand there instead."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.dmi import DMI
from diag.nodekit.machine import Machine
from diag.nodekit.node_facts import PLACEHOLDER_SERIALS
from diag.nodekit.problems import MissingTool
from diag.nodekit.release import DGX_RELEASE, release_values

SERIAL_NAMES = ("product_serial", "product_uuid", "board_serial", "chassis_serial")
CAT_SECONDS = 2.0


def cat(name: str) -> tuple[str, ...]:
    """The command that reads an SMBIOS serial as root."""
    return ("/usr/bin/cat", f"{DMI}/{name}")


@dataclass(frozen=True)
class Identifier:
    """A value as it stands there; `privilege` is `none` or `root`."""

    value: str
    privilege: str
    locator: str

    @property
    def placeholder(self) -> bool:
        """Whether it is a filler: known words, or nothing but zeros or but f's."""
        text = self.value.strip().lower()
        return text in PLACEHOLDER_SERIALS or len(set(text) - {"-"}) <= 1


def smbios_identifier(machine: Machine, name: str) -> Identifier | None:
    """A serial or UUID of SMBIOS, None where the firmware has none; raises PermissionError without the rights."""
    path = f"{DMI}/{name}"
    try:
        text = machine.read_or_none(path)
    except PermissionError as denied:
        text = _as_root(machine, name)
        machine.forgive(denied)
    value = " ".join((text or "").split())
    return Identifier(value[:120], "root", path) if value else None


def release_identifier(machine: Machine) -> Identifier | None:
    """The serial that the factory image wrote, None where there is none; raises OSError."""
    value = release_values(machine.read_or_none(DGX_RELEASE) or "").get("DGX_SERIAL_NUMBER", "").strip()
    return Identifier(value[:120], "none", DGX_RELEASE) if value else None


def _as_root(machine: Machine, name: str) -> str:
    try:
        ran = machine.run(cat(name), seconds=CAT_SECONDS, elevate=True)
    except MissingTool as missing:
        raise PermissionError(f"{DMI}/{name} needs root") from missing
    if ran.exit_status != 0:
        raise PermissionError(f"{DMI}/{name} cannot be read: {ran.stderr.strip()}")
    return ran.stdout
