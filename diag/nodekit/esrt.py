"""The EFI System Resource Table: firmware that takes capsules, as the kernel shows it to root.

Kernel ABI, testing/sysfs-firmware-efi-esrt: versions and statuses are unsigned numbers in decimal; what a version's
digits mean is each vendor's own affair.
"""

from __future__ import annotations

import re
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.smbios_firmware import GUID
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name

ENTRIES = "/sys/firmware/efi/esrt/entries"
# One exact command for however many entries there are; a point matches any line that is not empty.
READ_ALL = ("/usr/bin/grep", "-r", ".", ENTRIES)
LINE = re.compile(rf"{ENTRIES}/([\w-]+)/(\w+):(.*)")
FIELDS = {
    "fw_type": "type",
    "fw_version": "version",
    "lowest_supported_fw_version": "lowest_supported_version",
    "last_attempt_version": "last_attempt_version",
    "last_attempt_status": "last_attempt_status",
}
FILES = ("fw_class", "capsule_flags", *FIELDS)


def esrt(machine: Machine) -> dict[str, Any] | None:
    """The entries by the GUID of their class, None where the firmware has no such table; needs root.

    Raises PermissionError, OSError, Unevaluated, ValueError.
    """
    if not machine.exists(ENTRIES):
        return None
    entries = machine.names(ENTRIES)
    try:
        values = {entry: {file: machine.read(f"{ENTRIES}/{entry}/{file}") for file in FILES} for entry in entries}
    except PermissionError as denied:
        ran = machine.run(READ_ALL, seconds=2.0, elevate=True)
        if not ran.stdout.strip():
            raise Unevaluated(
                UnknownReason.IO_ERROR, f"grep printed nothing and ended with {ran.exit_status}"
            ) from None
        values = parse_lines(ran.stdout)
        machine.forgive(denied)
    return entries_by_class(values)


def parse_lines(text: str) -> dict[str, dict[str, str]]:
    """Files by entry, from `PATH:CONTENT` lines; raises ValueError when there is none."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match is not None:
            found.setdefault(match[1], {})[match[2]] = match[3]
    if not found:
        raise ValueError("no line names a file of an ESRT entry")
    return found


def entries_by_class(values: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The entries as the facet has them; raises ValueError when a class is no GUID or a version no number."""
    found: dict[str, Any] = {}
    for _, files in sorted(values.items()):
        guid = files.get("fw_class", "").strip().lower()
        if not GUID.fullmatch(guid):
            raise ValueError(f"{guid[:60]!r} is no GUID of a firmware class")
        flags = files.get("capsule_flags", "").strip()
        entry: dict[str, Any] = {ours: number(files[file]) for file, ours in FIELDS.items() if file in files}
        entry["capsule_flags"] = hex(int(flags, 16)) if flags else None
        found[name(guid, found)] = entry
    return found


def number(text: str) -> int:
    """A number of 32 bits as the kernel prints it; raises ValueError."""
    value = int(text)
    if not 0 <= value < 2**32:
        raise ValueError(f"{text} is no number of 32 bits")
    return value
