"""Is everything mounted that /etc/fstab wants mounted?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from diag.nodekit.check import Check
from diag.nodekit.file_systems import fstab, swaps
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.mounts import FSTAB, mounts
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Mounts that /etc/fstab asks for")
SWAP = "swap"
NOWHERE = "none"


@dataclass(frozen=True)
class Wanted:
    """The entries of fstab that boot should bring up, by mount point, swap by its source."""

    entries: dict[str, Any]


def observe(machine: Machine) -> Wanted:
    if not machine.exists(FSTAB):
        if machine.names("/etc"):
            raise NotApplicable(f"there is no {FSTAB}")
        raise Unevaluated(UnknownReason.PRECONDITION, "/etc lists nothing")
    entries = fstab(machine, mounts(machine), swaps(machine))
    return Wanted(
        {name: entry for name, entry in entries.items() if name != NOWHERE and "noauto" not in entry["options"]}
    )


def evaluate(seen: Wanted) -> Finding:
    """fstab(5) and systemd.mount(5): without `nofail` the boot counts on a mount; a node can do without swap."""
    if not seen.entries:
        raise NotApplicable(f"{FSTAB} asks for no mount at boot")
    missing = sorted(name for name, entry in seen.entries.items() if not entry["mounted"])
    readings = tuple(
        Reading(name, "mounted" if entry["mounted"] else "missing", locator=FSTAB)
        for name, entry in sorted(seen.entries.items())[:50]
    )
    if not missing:
        return Finding(
            Status.PASS, f"All {len(seen.entries)} entries of {FSTAB} are mounted", value=0, unit="1", locator=FSTAB,
            readings=readings,
        )  # fmt: skip
    needed = [name for name in missing if _is_needed(seen.entries[name])]
    worst = (needed or missing)[0]
    entry = seen.entries[worst]
    swap, path = entry["type"] == SWAP, shlex.quote(worst)
    return Finding(
        Status.FAIL if needed else Status.WARN,
        f"{len(missing)} entries of {FSTAB} are not in use: {', '.join(missing[:5])}"
        + ("" if needed else " (nofail or swap)"),
        value=len(missing),
        unit="1",
        locator=FSTAB,
        action=(f"Run `swapon {path}`" if swap else f"Run `mount {path}` and read what it says of {entry['source']}")
        + "; if the node shall do without, take the line out",
        readings=readings,
    )


def _is_needed(entry: dict[str, Any]) -> bool:
    return entry["type"] != SWAP and "nofail" not in entry["options"]
