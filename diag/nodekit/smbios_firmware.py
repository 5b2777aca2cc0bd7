"""SMBIOS type 45, Firmware Inventory Information (DSP0134), as dmidecode prints it."""

from __future__ import annotations

import re
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import bounded, name, word

TYPE_45 = ("/usr/sbin/dmidecode", "-t", "45")
TABLE = "/sys/firmware/dmi/tables/DMI"
TITLE = "Firmware Inventory Information"
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
MAX_COMPONENTS = 500
# Firmware that fills in the table without knowing better writes one of these where a version belongs.
PLACEHOLDER_VERSIONS = frozenset({"0", "1"})
NO_TABLE = "No SMBIOS nor DMI entry point found"


def smbios_firmware(machine: Machine) -> dict[str, Any] | None:
    """The components by name, None on a machine without SMBIOS; needs root.

    Raises MissingTool, PermissionError, TimeoutError, Unevaluated, ValueError.
    """
    if not machine.exists(TABLE):
        return None
    ran = machine.run(TYPE_45, seconds=2.0, elevate=True)
    if ran.exit_status != 0:
        words = one_line(ran.stderr or ran.stdout)
        if "permission denied" in words.lower():
            raise PermissionError(f"dmidecode: {words}")
        raise Unevaluated(UnknownReason.IO_ERROR, f"dmidecode ended with {ran.exit_status}: {words}")
    return parse_type_45(ran.stdout)


def parse_type_45(text: str) -> dict[str, Any] | None:
    """The components of dmidecode's text by name; raises ValueError when it is no answer of dmidecode."""
    if NO_TABLE in text:
        return None
    if "# dmidecode" not in text and "SMBIOS" not in text:
        raise ValueError("this is no output of dmidecode")
    found: dict[str, Any] = {}
    for values in _structures(text):
        found[name(values.get("Firmware Component Name", ""), found)] = _component(values)
    return bounded(found, MAX_COMPONENTS, "firmware components")


def _structures(text: str) -> list[dict[str, str]]:
    """The `Key: value` lines of each structure of type 45; those of a list below a key are left out."""
    found: list[dict[str, str]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("\t"):
            inside = line.strip() == TITLE
            if inside:
                found.append({})
        elif inside and not line.startswith("\t\t"):
            key, _, value = line.strip().partition(":")
            found[-1][key] = value.strip()
    return found


def _component(values: dict[str, str]) -> dict[str, Any]:
    version, guid = word(values.get("Firmware Version")), values.get("Firmware ID", "")
    return {
        "version": version,
        "placeholder": version is None or version in PLACEHOLDER_VERSIONS,
        "guid": guid.lower() if GUID.fullmatch(guid) else None,
        "release_date": word(values.get("Release Date")),
        "manufacturer": word(values.get("Manufacturer")),
        "lowest_supported_version": word(values.get("Lowest Supported Firmware Version")),
        "state": word(values.get("State")),
    }
