"""Are boots, shutdowns and log-ins written down? `last -x` reads them from wtmp."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import DAY, age_days
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.proc_files import uptime
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Record of boots and log-ins")
WTMP = "/var/log/wtmp"
SUCCESSOR = "/var/lib/wtmpdb/wtmp.db"  # wtmpdb(8), of systems whose time does not end in 2038
LOG = "/var/log"
SETTLING_DAYS = 0.05  # an hour and more: the record of a boot is written before the clock is set


@dataclass(frozen=True)
class Record:
    """Days since wtmp was last written (None: there is none), and days since boot."""

    days: float | None
    uptime_days: float


def observe(machine: Machine) -> Record:
    up = uptime(machine) / DAY
    if machine.exists(WTMP):
        return Record(age_days(machine, WTMP), up)
    if machine.exists(SUCCESSOR):
        raise NotApplicable(f"boots and log-ins are kept in {SUCCESSOR}")
    if not machine.names(LOG):
        raise Unevaluated(UnknownReason.PRECONDITION, f"{LOG} lists nothing")
    return Record(None, up)


def evaluate(seen: Record) -> Finding:
    """login(1) and systemd-update-utmp(8): a boot is written down, so the file is never older than the boot."""
    if seen.days is None:
        return Finding(
            Status.WARN,
            f"There is no {WTMP}: boots, shutdowns and log-ins leave no record",
            locator=WTMP,
            action=f"Run `install -m 664 -o root -g utmp /dev/null {WTMP}`; it is written from the next log-in on",
        )
    readings = (Reading("uptime", round(seen.uptime_days, 1), "d"),)
    if seen.days > seen.uptime_days + SETTLING_DAYS:
        return Finding(
            Status.WARN,
            f"{WTMP} was last written {seen.days:g} days ago, before this boot",
            value=seen.days,
            unit="d",
            locator=WTMP,
            action=f"See `systemctl status systemd-update-utmp` and the rights of {WTMP} (root:utmp, 0664)",
            readings=readings,
        )
    return Finding(Status.PASS, f"{WTMP} is written", value=seen.days, unit="d", locator=WTMP, readings=readings)
