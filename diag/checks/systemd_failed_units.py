"""Which units have failed?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.systemd import FAILED_UNITS, Unit, failed_units
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Failed units", required=True)
# Without these a node does no work: GPU persistence, containers, remote access, the root of the journal.
ESSENTIAL = frozenset(
    f"{name}.service"
    for name in ("nvidia-persistenced", "docker", "containerd", "ssh", "systemd-journald", "systemd-networkd",
                 "NetworkManager", "systemd-logind")
)  # fmt: skip


def observe(machine: Machine) -> tuple[Unit, ...]:
    return failed_units(machine)


def evaluate(seen: tuple[Unit, ...]) -> Finding:
    locator = " ".join(FAILED_UNITS[:3])
    if not seen:
        return Finding(Status.PASS, "No unit has failed", value=0, unit="1", locator=locator)
    names = sorted((unit.name for unit in seen), key=lambda name: (name not in ESSENTIAL, name))
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return Finding(
        Status.FAIL if names[0] in ESSENTIAL else Status.WARN,
        f"{len(names)} failed units: {shown}",
        value=len(names),
        unit="1",
        locator=locator,
        action=f"Read `systemctl status {names[0]}` and `journalctl -u {names[0]} -b`, then restart or disable it",
        readings=tuple(Reading(unit.name[:120], unit.description or None) for unit in seen[:50]),
    )
