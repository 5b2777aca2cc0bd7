"""What is mounted, and what is meant to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine

MOUNTS = "/proc/mounts"
FSTAB = "/etc/fstab"
LOCAL_KINDS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat"})


@dataclass(frozen=True)
class Mount:
    """One mounted file system with its options."""

    source: str
    target: str
    kind: str
    options: frozenset[str]


def mounts(machine: Machine) -> tuple[Mount, ...]:
    """What /proc/mounts lists, in its order; raises OSError, and ValueError when it lists nothing."""
    found = parse_table(machine.read(MOUNTS))
    if not found:
        raise ValueError(f"{MOUNTS} lists nothing")
    return found


def fstab(machine: Machine) -> tuple[Mount, ...]:
    """What /etc/fstab wants mounted, nothing when it cannot be read."""
    try:
        return parse_table(machine.read_or_none(FSTAB) or "")
    except OSError:
        return ()


def parse_table(text: str) -> tuple[Mount, ...]:
    """The rows of /proc/mounts or /etc/fstab; raises nothing."""
    rows = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return tuple(
        Mount(_plain(row[0]), _plain(row[1]), row[2], frozenset(row[3].split(","))) for row in rows if len(row) >= 4
    )


def _plain(field: str) -> str:
    """Undo the octal escapes of blanks: `/srv/model\\040cache`."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
