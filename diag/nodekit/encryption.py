"""Is a file system encrypted below? Told by device mapper's ids in sysfs (`CRYPT-LUKS2-...`), without any rights."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.mounts import mounts
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

BLOCK = "/sys/class/block"
MAPPER = "/dev/mapper/"
MAX_DEPTH = 16
CRYPT = re.compile(r"CRYPT-([A-Z0-9]+)-")


@dataclass(frozen=True)
class Encryption:
    """`kind` is LUKS2, LUKS1, PLAIN, ... as dm-crypt has it, None where no layer below `device` is dm-crypt."""

    device: str
    kind: str | None


def root_encryption(machine: Machine) -> Encryption:
    """Look below the root file system; raises OSError, and Unevaluated when it does not lie on a block device."""
    source = next((mount.source for mount in reversed(mounts(machine)) if mount.target == "/"), "")
    name = block_name(machine, source)
    if name is None or not machine.exists(f"{BLOCK}/{name}"):
        raise Unevaluated(UnknownReason.PRECONDITION, f"/ lies on {source or 'nothing'}, not on a known block device")
    kinds = (CRYPT.match(machine.read_or_none(f"{BLOCK}/{layer}/dm/uuid") or "") for layer in layers(machine, name))
    return Encryption(source, next((match[1] for match in kinds if match), None))


def block_name(machine: Machine, source: str) -> str | None:
    """The kernel's name of a device: `nvme0n1p2` for /dev/nvme0n1p2, `dm-1` for /dev/mapper/vg-root; None for none."""
    if source.startswith(MAPPER):
        wanted = source[len(MAPPER) :]
        names = (name for name in machine.names(BLOCK) if name.startswith("dm-"))
        return next((name for name in names if machine.read_or_none(f"{BLOCK}/{name}/dm/name") == wanted), None)
    return source.rpartition("/")[2] if source.startswith("/dev/") else None


def layers(machine: Machine, name: str) -> list[str]:
    """A block device and everything below it, as the kernel names them."""
    found: list[str] = []
    pending = [name]
    while pending and len(found) < MAX_DEPTH:
        here = pending.pop()
        if here not in found:
            found.append(here)
            pending += machine.names(f"{BLOCK}/{here}/slaves")
    return found
