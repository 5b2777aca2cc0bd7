"""SMBIOS as the kernel shows it in /sys/class/dmi/id."""

from __future__ import annotations

import datetime as dt

from diag.nodekit.machine import Machine

DMI = "/sys/class/dmi/id"


def dmi_value(machine: Machine, name: str) -> str | None:
    """One value, None where the firmware has none; raises OSError."""
    return " ".join((machine.read_or_none(f"{DMI}/{name}") or "").split()) or None


def parse_bios_date(text: str) -> dt.date:
    """The date of SMBIOS type 0, which is month/day/year; raises ValueError."""
    month, day, year = (int(part) for part in text.split("/"))
    return dt.date(year, month, day)
