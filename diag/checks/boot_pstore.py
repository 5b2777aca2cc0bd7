"""Did a kernel leave a crash record in firmware memory?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import age_days
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

FRESH = "/sys/fs/pstore"
LIST_FRESH = ("/usr/bin/ls", "-1", FRESH)
ARCHIVE = "/var/lib/systemd/pstore"
BACKEND = "/sys/module/pstore/parameters/backend"
CHECK = Check(title="Crash records of the kernel", elevated=(LIST_FRESH,))
RECENT = Threshold(
    Comparison.AT_MOST,
    warn=7.0,
    provenance="kernel, Documentation/ABI/testing/pstore: a record is a panic or an oops; 7 days: judgement",
)


@dataclass(frozen=True)
class Records:
    """Age in days by path of each record. `fresh_readable` is False where the firmware's own could not be listed."""

    days: dict[str, float]
    fresh_readable: bool


def observe(machine: Machine) -> Records:
    if machine.read_or_none(BACKEND) == "(null)":
        raise NotApplicable("no firmware memory for crash records is registered with the kernel")
    archived = [f"{ARCHIVE}/{name}" for name in machine.names(ARCHIVE)]
    days = {path: age_days(machine, path) for path in archived}
    try:
        fresh, readable = _fresh(machine), True
    except PermissionError:
        fresh, readable = [], False
    # A record that nobody archived was written by the crash that ended the last boot, or in this one.
    days.update({f"{FRESH}/{name}": 0.0 for name in fresh})
    return Records(days, readable)


def evaluate(seen: Records) -> Finding:
    if not seen.days:
        if not seen.fresh_readable:
            raise Unevaluated(UnknownReason.NOT_PERMITTED, f"{FRESH} needs root; nothing is archived in {ARCHIVE}")
        return Finding(
            Status.PASS, "No crash record is kept; a hard cut of power leaves none", value=0, unit="1", locator=FRESH
        )
    name, days = min(seen.days.items(), key=lambda record: record[1])
    finding = judged(
        RECENT,
        days,
        f"{len(seen.days)} crash records of the kernel, the newest {days:g} days old: {name}",
        action=f"Read the records in {ARCHIVE} (as root), save them with the case, then remove them",
        unit="d",
        locator=ARCHIVE,
        readings=tuple(Reading(path[-120:], age, "d") for path, age in sorted(seen.days.items())[:50]),
    )
    if finding.status == Status.PASS and not seen.fresh_readable:
        raise Unevaluated(UnknownReason.NOT_PERMITTED, f"{FRESH} needs root; the archive holds only old records")
    return finding


def _fresh(machine: Machine) -> list[str]:
    try:
        names = machine.names(FRESH)
    except PermissionError:
        ran = machine.run(LIST_FRESH, seconds=2.0, elevate=True)
        if ran.exit_status != 0:
            raise PermissionError(f"{FRESH} cannot be listed: {ran.stderr.strip()}") from None
        names = ran.stdout.split()
    else:
        if not machine.exists(FRESH):
            raise Unevaluated(UnknownReason.PRECONDITION, f"there is no {FRESH}")
        # The kernel makes the folder; without its file system in it, empty says nothing.
        if not names and f" {FRESH} pstore " not in (machine.read_or_none("/proc/mounts") or ""):
            raise Unevaluated(UnknownReason.PRECONDITION, f"no pstore is mounted at {FRESH}")
    return names
