"""Are inodes left on the local file systems? A disk without them is full, whatever `df` says."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.file_systems import DF_INODES
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Free inodes on local file systems")
USED = Threshold(Comparison.AT_LEAST, warn=85.0, fail=95.0, provenance="common practice, as for space")


@dataclass(frozen=True)
class Inodes:
    """Inodes of one file system."""

    target: str
    total: int
    used_percent: float


def observe(machine: Machine) -> list[Inodes]:
    ran = machine.run(DF_INODES, seconds=3.0)
    lines = ran.stdout.splitlines()[1:]
    if not lines:
        raise Unevaluated(UnknownReason.PRECONDITION, f"df lists no local file system: {one_line(ran.stderr)}")
    return [parsed for parsed in (_parse(line) for line in lines) if parsed is not None]


def evaluate(seen: list[Inodes]) -> Finding:
    if not seen:
        raise NotApplicable("no local file system counts inodes")
    worst = max(seen, key=lambda system: system.used_percent)
    return judged(
        USED,
        worst.used_percent,
        f"{worst.used_percent:g} % of the inodes of {worst.target} are in use",
        action=f"Remove small files on {worst.target}: caches and container layers are the usual crowd",
        unit="%",
        locator=" ".join(DF_INODES[:2]),
        readings=tuple(Reading(system.target[:120], system.used_percent, "%") for system in seen[:50]),
    )


def _parse(line: str) -> Inodes | None:
    """None for a file system without a fixed number of inodes (vfat, btrfs), which `df` shows as 0 or `-`."""
    target, _, total, used, available = line.rsplit(maxsplit=4)
    if total in ("0", "-") or available == "-":
        return None
    usable = int(used) + int(available)
    return Inodes(target.strip(), int(total), round(100 * int(used) / usable, 1) if usable else 0.0)
