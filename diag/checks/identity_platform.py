"""Is this node a GB10 machine, as the inventory of a Spark fleet takes for granted?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.platform import Evidence, platform_evidence
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="The machine is a GB10", required=True)


def observe(machine: Machine) -> Evidence:
    return platform_evidence(machine)


def evaluate(seen: Evidence) -> Finding:
    if seen.is_gb10 is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the evidence for a GB10 does not suffice: {seen.words}")
    readings = tuple(Reading(clue.locator, clue.words, locator=clue.locator) for clue in seen.clues)
    if seen.is_gb10:
        return Finding(Status.PASS, f"A GB10: {seen.words}", value=True, readings=readings)
    return Finding(
        Status.WARN,
        f"Not a GB10: {seen.words}",
        value=False,
        action="Check that the address in the inventory is right; take the machine out of the Spark fleet if it is",
        readings=readings,
    )
