"""Has a file system turned read-only? ext4 does so by itself after an error (errors=remount-ro)."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.mounts import FSTAB, LOCAL_KINDS, MOUNTS, Mount, fstab, mounts
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Read-only file systems", required=True)
# Since Linux 6.12 ext4 keeps the mount writable in name and refuses writes; since 6.15 it shows one of these words.
REFUSES = frozenset({"emergency_ro", "shutdown"})
ACTION = "Save the kernel log off the node, stop the jobs, and reboot to let fsck run; then read the nvme checks"


@dataclass(frozen=True)
class Seen:
    """What is mounted, and what /etc/fstab wants mounted read-only."""

    mounts: tuple[Mount, ...]
    wanted: frozenset[str]


def observe(machine: Machine) -> Seen:
    wanted = frozenset(mount.target for mount in fstab(machine) if "ro" in mount.options)
    return Seen(mounts(machine), wanted)


def evaluate(seen: Seen) -> Finding:
    root = next((mount for mount in reversed(seen.mounts) if mount.target == "/"), None)
    if root is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{MOUNTS} does not list the root file system")
    local = [mount for mount in seen.mounts if mount is root or _is_local(mount)]
    # A read-only bind mount of a file system that is writable elsewhere is somebody's wish, not an error.
    writable = {mount.source for mount in local if "rw" in mount.options}
    broken = [mount for mount in local if mount.options & REFUSES]
    frozen = [
        mount
        for mount in local
        if "ro" in mount.options and mount.source not in writable and mount.target not in seen.wanted
    ]
    readings = tuple(
        Reading(mount.target[:120] or "?", "ro" if mount in broken + frozen else "rw") for mount in local[:50]
    )
    if not broken and not frozen:
        count = len({mount.source for mount in local})
        return Finding(Status.PASS, f"{count} local file systems take writes", value=0, unit="1", locator=MOUNTS,
                       readings=readings)  # fmt: skip
    worst = root if root in broken + frozen else (broken + frozen)[0]
    certain = worst is root or worst in broken
    return Finding(
        Status.FAIL if certain else Status.WARN,
        f"{worst.target} ({worst.source}, {worst.kind}) refuses writes"
        + ("" if certain else f"; {FSTAB} does not ask for that"),
        value=len({mount.source for mount in broken + frozen}),
        unit="1",
        locator=MOUNTS,
        action=ACTION,
        readings=readings,
    )


def _is_local(mount: Mount) -> bool:
    return mount.source.startswith("/dev/") and mount.kind in LOCAL_KINDS
