"""Has ext4 recorded errors in its superblock? They stay there until a file system check clears them."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.age import DAY
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.mounts import mounts
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Errors recorded by ext4")
EXT4 = "/sys/fs/ext4"


@dataclass(frozen=True)
class Errors:
    """Errors of one file system and how many days ago the last one was (None when not told)."""

    device: str
    count: int
    days: float | None


def observe(machine: Machine) -> list[Errors]:
    found = []
    for device in machine.names(EXT4):
        count = machine.read_or_none(f"{EXT4}/{device}/errors_count")
        if count is not None:
            found.append(Errors(device, int(count), _days(machine, device)))
    if not found:
        if not any(mount.kind == "ext4" for mount in mounts(machine)):
            raise NotApplicable("no ext4 file system is mounted")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{EXT4} counts no errors, though ext4 is mounted")
    return found


def evaluate(seen: list[Errors]) -> Finding:
    worst = max(seen, key=lambda errors: errors.count)
    readings = tuple(Reading(errors.device[:120], errors.count, "1", f"{EXT4}/{errors.device}") for errors in seen[:50])
    if not worst.count:
        return Finding(Status.PASS, f"{len(seen)} ext4 file systems record no error", value=0, unit="1", locator=EXT4,
                       readings=readings)  # fmt: skip
    when = "at an unknown time" if worst.days is None else f"{worst.days:g} days ago"
    return Finding(
        Status.FAIL if worst.days is not None and worst.days < 1 else Status.WARN,
        f"{worst.device} records {worst.count} file system errors, the last {when}",
        value=worst.count,
        unit="1",
        locator=f"{EXT4}/{worst.device}/errors_count",
        action="Read `journalctl -k -g EXT4-fs`, back up, and reboot with `fsck.mode=force` on the kernel command line",
        readings=readings,
    )


def _days(machine: Machine, device: str) -> float | None:
    last = int(machine.read_or_none(f"{EXT4}/{device}/last_error_time") or 0)
    return round(max(0.0, machine.now() - last) / DAY, 1) if last else None
