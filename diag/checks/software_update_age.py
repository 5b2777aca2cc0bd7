"""How old is what the node knows about updates?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import age_days
from diag.nodekit.apt_sources import APT, apt_sources
from diag.nodekit.check import Check
from diag.nodekit.facet import Look
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Age of the package lists")
# A list carries the date of its server, so its own age says nothing. The stamp is touched after every update that
# ended well (update-notifier-common); the folder changes when a list in it does.
STAMP = "/var/lib/apt/periodic/update-success-stamp"
LISTS = "/var/lib/apt/lists"
AGE = Threshold(
    Comparison.ABOVE, warn=30.0, provenance="Ubuntu publishes security updates every few days; 30 d: judgement"
)


@dataclass(frozen=True)
class Lists:
    """Days since each of the two was last written, and how many sources are on."""

    days: dict[str, float]
    sources: int


def observe(machine: Machine) -> Lists:
    if not machine.exists(APT):
        if machine.names("/etc"):
            raise NotApplicable("this system has no APT")
        raise Unevaluated(UnknownReason.PRECONDITION, "/etc lists nothing")
    look = Look(machine)
    known = apt_sources(look)
    sources = sum(source["enabled"] for source in known.values())
    if not sources:
        if look.gaps:
            raise Unevaluated(look.gaps[0]["reason"], f"package sources could not be read: {look.gaps[0]['summary']}")
        if not known:
            raise Unevaluated(UnknownReason.PRECONDITION, f"{APT} names no package source")
        raise NotApplicable(f"no package source is switched on in {APT}")
    there = [path for path in (STAMP, LISTS) if machine.exists(path)]
    return Lists({path: age_days(machine, path) for path in there}, sources)


def evaluate(seen: Lists) -> Finding:
    if not seen.days:
        raise Unevaluated(UnknownReason.PRECONDITION, f"there is neither {STAMP} nor {LISTS}")
    path, days = min(seen.days.items(), key=lambda item: item[1])
    return judged(
        AGE,
        days,
        f"The package lists of {seen.sources} sources are {days:g} days old",
        action="Run `apt-get update` and see which source fails; then plan the updates (`apt list --upgradable`)",
        unit="d",
        locator=path,
        readings=tuple(Reading("age", age, "d", where) for where, age in seen.days.items()),
    )
