"""How full are the local file systems?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.file_systems import DF
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Free space on local file systems", required=True)

USED = Threshold(
    Comparison.AT_LEAST, warn=85.0, fail=95.0, provenance="common practice: ext4 reserves 5 % for root by default"
)


@dataclass(frozen=True)
class FileSystem:
    """Sizes in bytes, as an unprivileged user may use them."""

    target: str
    size: int
    used: int
    available: int

    @property
    def used_percent(self) -> float:
        """Share of the usable space in use, as `df` counts it."""
        usable = self.used + self.available
        return round(100 * self.used / usable, 1) if usable else 0.0


def observe(machine: Machine) -> list[FileSystem]:
    ran = machine.run(DF, seconds=3.0)
    systems = [_parse(line) for line in ran.stdout.splitlines()[1:]]
    if not systems:
        raise Unevaluated(UnknownReason.PRECONDITION, f"df lists no local file system: {ran.stderr.strip()}")
    return systems


def evaluate(seen: list[FileSystem]) -> Finding:
    worst = max(seen, key=lambda system: system.used_percent)
    return judged(
        USED,
        worst.used_percent,
        f"{worst.target} is {worst.used_percent:g} % full, {worst.available / 2**30:.1f} GiB free",
        unit="%",
        locator=" ".join(DF[:2]),
        action=f"Free space on {worst.target}: old container images, model caches and journals are the usual weight",
        readings=tuple(Reading(system.target, system.used_percent, "%") for system in seen),
    )


def _parse(line: str) -> FileSystem:
    target, _, size, used, available = line.rsplit(maxsplit=4)
    return FileSystem(target.strip(), int(size), int(used), int(available))
