"""Where the machine keeps its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diag.nodekit.disks import BLOCK, disks, esps, layers
from diag.nodekit.facet import Facet, Look
from diag.nodekit.file_systems import (
    DF,
    DF_INODES,
    SWAPS,
    describe,
    fstab,
    is_remote,
    mount_points,
    split_mounts,
    swaps,
    usage,
)
from diag.nodekit.folder import MAX_NUMBER, value
from diag.nodekit.machine import Machine
from diag.nodekit.mounts import FSTAB, MOUNTS, Mount, mounts
from diag.nodekit.nvme import NVME, SMART_LOG, SMART_SECONDS, observe_smart
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name

FACET = Facet(title="Storage", seconds=SMART_SECONDS + 8.0, elevated=(SMART_LOG,))
DROPS = ("fstab", "file_systems")
Rows = Mapping[str, tuple[int, int, int]]
ZSWAP = "/sys/module/zswap/parameters/enabled"


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    mounted = look.at("file_systems", lambda: mounts(machine), MOUNTS, also=("fstab.*.mounted", "esps.*.mount_point"))
    found = look.at("disks", lambda: disks(look), BLOCK)
    look.inherit("esps", "disks")
    swapped = look.at("swaps", lambda: swaps(machine), SWAPS, also=("fstab.*.mounted",))
    table = look.at("fstab", lambda: _fstab(machine, mounted, swapped), FSTAB, also=("file_systems.*.in_fstab",))
    smart = look.at("smart", lambda: _smart(machine), " ".join(SMART_LOG))
    look.volatile["smart"] = None if smart is None else {"nvme0": smart}
    look.volatile["swap_used_bytes"] = {at: swap.pop("used_bytes") for at, swap in (swapped or {}).items()}
    return {
        "disks": found,
        "layers": look.at("layers", lambda: layers(look), BLOCK),
        "file_systems": None if mounted is None else _file_systems(look, mounted, table),
        "esps": None if found is None else esps(found, mount_points(mounted or ())),
        "swaps": swapped,
        "zswap": look.at("zswap", lambda: _switch(machine, ZSWAP), ZSWAP),
        "fstab": table,
    }


def _fstab(machine: Machine, mounted: Sequence[Mount] | None, swapped: Mapping[str, Any] | None) -> dict[str, Any]:
    """The entries of fstab; whether one is in use is left out where what tells that could not be read."""
    found = fstab(machine, mounted or (), swapped or {})
    for entry in found.values():
        if (swapped if entry["type"] == "swap" else mounted) is None:
            entry["mounted"] = None
    return found


def _file_systems(look: Look, mounted: Sequence[Mount], table: Mapping[str, Any] | None) -> dict[str, Any]:
    kept, look.volatile["left_out"] = split_mounts(mounted)
    wanted = {target.rstrip("/") or "/" for target in table or ()}
    found = {name(mount.target): describe(mount, wanted) for mount in kept}
    if table is None:
        for file_system in found.values():
            file_system["in_fstab"] = None
    sizes, trouble = look.tried(lambda: usage(look.machine, DF))
    # df lists a file system once, however often it is mounted.
    of_source = {mount.source: sizes[mount.target][0] for mount in kept if sizes and mount.target in sizes}
    for mount in kept:
        size = of_source.get(mount.source)
        found[name(mount.target)]["size_bytes"] = size
        if size is None and not is_remote(mount):
            reason = (trouble.reason if trouble else None) or UnknownReason.PRECONDITION
            summary = trouble.summary if trouble else "df does not list it"
            look.missing(f"file_systems[{name(mount.target)}].size_bytes", reason, summary, DF[0])
    inodes, _ = look.tried(lambda: usage(look.machine, DF_INODES))
    listed = [mount.target for mount in kept if sizes and mount.target in sizes]
    look.volatile["usage"] = {name(target): _usage(target, sizes or {}, inodes or {}) for target in listed}
    return found


def _usage(target: str, sizes: Rows, inodes: Rows) -> dict[str, Any]:
    _, used, available = sizes[target]
    total, taken, _ = inodes.get(target, (0, 0, 0))
    return {"used_bytes": used, "available_bytes": available, "used_inodes": taken if total else None}


def _switch(machine: Machine, path: str) -> bool | None:
    """A parameter of a module, `Y` or `N`."""
    return {"Y": True, "N": False}.get((value(machine, path) or "").upper())


def _smart(machine: Machine) -> dict[str, int] | None:
    """Counters of the first controller's SMART log; None without one. Raises what observe_smart raises."""
    if not machine.exists(f"{NVME}/nvme0"):
        return None
    log = observe_smart(machine)
    found = {
        "critical_warning": float(log.critical_warning),
        "available_spare_percent": log.spare,
        "percentage_used": log.used,
        "media_errors": log.media_errors,
        "unsafe_shutdowns": log.unsafe_shutdowns,
        "power_on_hours": log.power_on_hours,
        "power_cycles": log.power_cycles,
        "celsius": log.celsius,
    }
    return {field: min(max(int(count), 0), MAX_NUMBER) for field, count in found.items() if count is not None}
