"""Has a package asked for a reboot, and how long ago?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import age_days
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable
from diag.nodekit.release import release_values
from diag.nodekit.vocabulary import Comparison, Status

CHECK = Check(title="Reboot asked for by packages")
MARK = "/run/reboot-required"
PACKAGES = "/run/reboot-required.pkgs"
OS_RELEASE = "/etc/os-release"
PENDING = Threshold(
    Comparison.ABOVE, warn=30.0, provenance="GB10 owners run healthy for weeks with a reboot pending (2026)"
)


@dataclass(frozen=True)
class Request:
    """Days since a package asked for a reboot, and the packages that did; None for no request."""

    days: float | None
    packages: tuple[str, ...]


def observe(machine: Machine) -> Request:
    release = release_values(machine.read(OS_RELEASE))
    if "debian" not in f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split():
        raise NotApplicable(f"{release.get('ID') or 'this system'} does not use {MARK}")
    if not machine.exists(MARK):
        if not machine.names("/run"):
            raise FileNotFoundError(2, "Cannot be listed", "/run")
        return Request(None, ())
    packages = (machine.read_or_none(PACKAGES) or "").split()
    return Request(age_days(machine, MARK), tuple(dict.fromkeys(packages)))


def evaluate(seen: Request) -> Finding:
    if seen.days is None:
        return Finding(Status.PASS, "No package asks for a reboot", value=0, unit="d", locator=MARK)
    who = ", ".join(seen.packages[:5]) or "a package that is not named"
    return judged(
        PENDING,
        seen.days,
        f"A reboot is pending since {seen.days:g} days, asked for by {who}",
        action="Plan a reboot; check boot.initrd first",
        unit="d",
        locator=MARK,
        readings=tuple(Reading("package", package[:120], locator=PACKAGES) for package in seen.packages[:50]),
    )
