"""Are all processor cores online?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.processors import CPUINFO, GB10_PARTS, PRESENT, Processors, count_list, online_processors
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Processor cores online")
GB10_CORES = Threshold(
    Comparison.BELOW, warn=20, fail=16, provenance="observed: every published GB10 has 20 cores online (2025-2026)"
)
ACTION = "See in `journalctl -k -b` why cores did not start, then cycle the power; return a unit whose core stays away"


@dataclass(frozen=True)
class Cores:
    """The cores online, how many the firmware described (None when unreadable), and whether this is a GB10."""

    online: Processors
    present: int | None
    is_gb10: bool | None


def observe(machine: Machine) -> Cores:
    listed = machine.read_or_none(PRESENT)
    return Cores(
        online_processors(machine),
        None if listed is None else count_list(listed),
        platform_evidence(machine).is_gb10,
    )


def evaluate(seen: Cores) -> Finding:
    count = seen.online.online
    readings = (
        Reading("present", seen.present, "1", PRESENT),
        *(
            Reading(f"part {part}"[:120], number, "1", CPUINFO)
            for part, number in sorted(seen.online.parts.items())[:16]
        ),
    )
    if seen.is_gb10:
        missing = [f"{number - seen.online.parts.get(part, 0)} of {number} cores {part}"
                   for part, number in GB10_PARTS.items() if seen.online.parts.get(part, 0) < number]  # fmt: skip
        words = f"; missing: {', '.join(missing)}" if missing else ""
        return judged(
            GB10_CORES, count, f"{count} of 20 cores are online{words}", action=ACTION, unit="1", locator=CPUINFO,
            readings=readings,
        )  # fmt: skip
    if seen.present is None:
        raise FileNotFoundError(2, "No such file or directory", PRESENT)
    return judged(
        Threshold(Comparison.BELOW, warn=seen.present, provenance=f"{PRESENT}: what the firmware described"),
        count,
        f"{count} of {seen.present} cores are online",
        action=ACTION,
        unit="1",
        locator=CPUINFO,
        readings=readings,
    )
