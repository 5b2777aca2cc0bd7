"""Which frequency governor is set? Reported; only a mixture of governors is worth a look."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Frequency governor")
CPU = "/sys/devices/system/cpu"
CPUFREQ = f"{CPU}/cpufreq"


def observe(machine: Machine) -> dict[str, str]:
    policies = [name for name in machine.names(CPUFREQ) if name.startswith("policy")]
    if not policies:
        if machine.names(CPU):
            raise NotApplicable("the kernel does not steer the frequency of these cores")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{CPU} lists nothing")
    return {name: machine.read(f"{CPUFREQ}/{name}/scaling_governor").strip() for name in policies}


def evaluate(seen: dict[str, str]) -> Finding:
    counts: dict[str, int] = {}
    for governor in seen.values():
        counts[governor] = counts.get(governor, 0) + 1
    if "" in counts:
        raise ValueError(f"a policy in {CPUFREQ} names no governor")
    words = ", ".join(f"{governor} on {count}" for governor, count in sorted(counts.items()))
    mixed = len(counts) > 1
    return Finding(
        Status.WARN if mixed else Status.PASS,
        f"Frequency governor: {words} of {len(seen)} policies",
        value=", ".join(sorted(counts))[:120],
        locator=CPUFREQ,
        action="Set one governor on all cores (stock: performance); something changed only a part of them"
        if mixed
        else None,
        readings=tuple(Reading(governor[:120], count, "1") for governor, count in sorted(counts.items())[:20]),
    )
