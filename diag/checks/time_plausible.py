"""Can the clock be right? It cannot stand before the day on which the running kernel was built."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.dmi import dmi_value, parse_bios_date
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.release import read_dgx_release
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Clock within reason", required=True)
KERNEL_VERSION = "/proc/sys/kernel/version"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
COMPILED = re.compile(r"\b([A-Z][a-z]{2}) +(\d{1,2}) \d\d:\d\d:\d\d (?:\S+ )?(\d{4})\b")  # Tue Mar 17 19:01:40 UTC 2026
PACKAGED = re.compile(r"\((\d{4})-(\d\d)-(\d\d)\)")  # Debian 6.1.76-1 (2024-02-01)
BEFORE = Threshold(
    Comparison.ABOVE, fail=1, provenance="a clock cannot stand before the build of what it runs; 1 day for time zones"
)
AHEAD = Threshold(Comparison.ABOVE, warn=3650, provenance="ten years after the newest software of the node: judgement")
ACTION = (
    "Set the time with `timedatectl set-ntp true`; if it is wrong again after a power cut, the clock battery is empty"
)


@dataclass(frozen=True)
class Dates:
    """Today by the node's clock, and the dates of what it runs by source."""

    today: dt.date
    built: dict[str, dt.date]


def observe(machine: Machine) -> Dates:
    sources = {"kernel": _kernel(machine), "firmware": _firmware(machine), "DGX OS": _image(machine)}
    built = {name: date for name, date in sources.items() if date is not None}
    if not built:
        raise Unevaluated(UnknownReason.PRECONDITION, "neither kernel nor firmware nor DGX OS tells when it was built")
    return Dates(dt.datetime.fromtimestamp(machine.now(), dt.timezone.utc).date(), built)


def evaluate(seen: Dates) -> Finding:
    source, newest = max(seen.built.items(), key=lambda item: item[1])
    readings = tuple(Reading(name, date.isoformat()) for name, date in seen.built.items())
    days = (newest - seen.today).days
    words = f"The clock says {seen.today.isoformat()}, the newest build date is {newest.isoformat()} ({source})"
    if days > 0:
        return judged(BEFORE, days, words, action=ACTION, unit="d", locator=KERNEL_VERSION, readings=readings)
    return judged(AHEAD, -days, words, action=ACTION, unit="d", locator=KERNEL_VERSION, readings=readings)


def _kernel(machine: Machine) -> dt.date | None:
    """From the banner of the build, as Ubuntu or as Debian writes it; None for a kernel that names no date."""
    version = machine.read(KERNEL_VERSION)
    compiled = COMPILED.search(version)
    if compiled and compiled[1] in MONTHS:
        return _date(compiled[3], MONTHS.index(compiled[1]) + 1, compiled[2])
    packaged = PACKAGED.search(version)
    return _date(*packaged.groups()) if packaged else None


def _firmware(machine: Machine) -> dt.date | None:
    try:
        return parse_bios_date(dmi_value(machine, "bios_date") or "")
    except (OSError, ValueError):
        return None


def _image(machine: Machine) -> dt.date | None:
    parts = read_dgx_release(machine).get("DGX_SWBUILD_DATE", "").split("-")
    return _date(*parts[:3]) if len(parts) >= 3 else None


def _date(year: str, month: str | int, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
