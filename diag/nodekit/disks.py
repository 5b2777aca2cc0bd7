"""Disks, their partitions and what is layered over them, from sysfs and from udev's records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.folder import Folder, children, value
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import bounded, name, word, words

BLOCK = "/sys/block"
UDEV = "/run/udev/data"
SECTOR = 512  # in sysfs a sector is always this many bytes
NO_DISK = re.compile(r"(loop|ram|zram|fd|dm-|md|nbd)[0-9].*")
LAYER = r"(dm-|md)[0-9].*"
ACTIVE_SCHEDULER = re.compile(r"\[([\w-]+)\]")
ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
ESP_TYPES = frozenset({"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef"})  # UEFI: of a GPT, of an MBR
DM_KINDS = {"LVM": "lvm", "CRYPT": "crypt", "mpath": "multipath", "DMRAID": "raid"}
MAX_BLOCK = 1024
MAX_DISKS, MAX_PARTITIONS, MAX_LAYERS = 64, 64, 64


def disks(look: Look) -> dict[str, Any]:
    """Whole disks by the kernel's name; loop devices, RAM disks and network block devices are left out."""
    machine = look.machine
    listed = [disk for disk in children(machine, BLOCK, most=MAX_BLOCK) if not NO_DISK.fullmatch(disk)]
    shown = [disk for disk in listed if value(machine, f"{BLOCK}/{disk}/hidden") != "1"]
    kept = bounded({name(disk): disk for disk in shown}, MAX_DISKS, "disks")
    return {key: look.at(f"disks[{key}]", partial(_disk, look, disk), BLOCK) for key, disk in kept.items()}


def _disk(look: Look, disk: str) -> dict[str, Any]:
    path = f"disks[{name(disk)}]"
    here = Folder(look, f"{BLOCK}/{disk}", path)
    known = udev_record(look, here) or {}
    scheduler = ACTIVE_SCHEDULER.search(look.machine.read_or_none(f"{here.where}/queue/scheduler") or "")
    return {
        "size_bytes": here.number("size_bytes", "size", scale=SECTOR),
        "model": here.text("model", "device/model") or word(known.get("ID_MODEL")),
        "serial": here.text("serial", "device/serial") or here.text("serial") or word(known.get("ID_SERIAL_SHORT")),
        "wwid": here.text("wwid") or here.text("wwid", "device/wwid"),
        "transport": word(known.get("ID_BUS")) or here.link("transport", "device/subsystem"),
        "rotational": here.flag("rotational", "queue/rotational"),
        "removable": here.flag("removable"),
        "read_only": here.flag("read_only", "ro"),
        "logical_block_bytes": here.number("logical_block_bytes", "queue/logical_block_size"),
        "physical_block_bytes": here.number("physical_block_bytes", "queue/physical_block_size"),
        "scheduler": scheduler[1] if scheduler else None,
        "namespace": here.number("namespace", "nsid"),
        "metadata_bytes": here.number("metadata_bytes"),
        "table": word(known.get("ID_PART_TABLE_TYPE")),
        "partitions": look.at(f"{path}.partitions", lambda: _partitions(look, here)),
    }


def _partitions(look: Look, disk: Folder) -> dict[str, Any]:
    listed = children(look.machine, disk.where, most=MAX_BLOCK)
    found = {name(entry): entry for entry in listed if disk.has(f"{entry}/partition")}
    kept = bounded(found, MAX_PARTITIONS, "partitions")
    described = {}
    for key, at in kept.items():
        path = f"{disk.path}.partitions[{key}]"
        described[key] = look.at(path, partial(_partition, look, disk.below(at, path)), disk.where)
    return described


def _partition(look: Look, here: Folder) -> dict[str, Any]:
    known = udev_record(look, here)
    if known is None:
        summary = "udev keeps no record of this partition"
        look.missing(f"{here.path}.type", UnknownReason.PRECONDITION, summary, UDEV)
    known = known or {}
    event = properties(look.machine.read_or_none(f"{here.where}/uevent") or "", "")
    return {
        "number": here.number("number", "partition"),
        "start_bytes": here.number("start_bytes", "start", scale=SECTOR),
        "size_bytes": here.number("size_bytes", "size", scale=SECTOR),
        "label": word(known.get("ID_PART_ENTRY_NAME") or event.get("PARTNAME")),
        "type": word(known.get("ID_PART_ENTRY_TYPE")),
        "uuid": word(known.get("ID_PART_ENTRY_UUID") or event.get("PARTUUID")),
        "content": word(known.get("ID_FS_TYPE")),
        "content_label": word(known.get("ID_FS_LABEL_ENC") or known.get("ID_FS_LABEL")),
        "content_uuid": word(known.get("ID_FS_UUID")),
    }


def udev_record(look: Look, here: Folder) -> dict[str, str] | None:
    """What udev found out about a block device, None where it keeps no record."""
    device = value(look.machine, f"{here.where}/dev")
    if device is None:
        return None
    path = f"{UDEV}/b{device}"
    text = look.at(here.path, lambda: look.machine.read_or_none(path), path)
    return None if text is None else properties(text, "E:")


def properties(text: str, prefix: str) -> dict[str, str]:
    """Lines `PREFIXKEY=value`, `\\x20` turned back into a blank."""
    lines = (line[len(prefix) :].partition("=") for line in text.splitlines() if line.startswith(prefix))
    return {key: ESCAPED.sub(lambda match: chr(int(match[1], 16)), rest) for key, equals, rest in lines if equals}


def esps(found: Mapping[str, Any], mounted: Mapping[str, str]) -> dict[str, Any]:
    """EFI system partitions by name; `mounted` maps devices to where they are mounted."""
    return {
        partition: {"disk": disk, "mount_point": mounted.get(f"/dev/{partition}")}
        for disk, described in found.items()
        for partition, one in ((described or {}).get("partitions") or {}).items()
        if one is not None and (one["type"] or "").lower() in ESP_TYPES
    }


def layers(look: Look) -> dict[str, Any]:
    """Device-mapper and MD devices by name: volumes, encryption, multipath, RAID."""
    machine = look.machine
    found: dict[str, Any] = {}
    for device in children(machine, BLOCK, LAYER, MAX_LAYERS):
        key = name(layer_name(machine, device), found)
        here = Folder(look, f"{BLOCK}/{device}", f"layers[{key}]")
        uuid = here.text("uuid", "dm/uuid") or here.text("uuid", "md/uuid")
        kind, form = dm_kind(uuid) if here.has("dm") else ("raid", here.text("format", "md/level"))
        found[key] = {
            "kind": kind,
            "format": form,
            "uuid": uuid,
            "size_bytes": here.number("size_bytes", "size", scale=SECTOR),
            "members": words([layer_name(machine, member) for member in machine.names(f"{here.where}/slaves")]),
        }
    return found


def layer_name(machine: Machine, device: str) -> str:
    """The name of a device-mapper device, which stays the same; of others the kernel's."""
    return value(machine, f"{BLOCK}/{device}/dm/name") or device


def dm_kind(uuid: str | None) -> tuple[str, str | None]:
    """Kind and format by the prefix that tools put before the UUID: `CRYPT-LUKS2-...` is crypt and LUKS2."""
    prefix, _, rest = (uuid or "").partition("-")
    if prefix.startswith("part"):
        return "partition", None
    return DM_KINDS.get(prefix, "other"), word(rest.partition("-")[0]) if prefix == "CRYPT" else None
