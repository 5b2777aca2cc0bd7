"""Firmware versions of network adapters, drives, GPUs and the TPM, from the nearest source that tells them."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.judge import Trouble
from diag.nodekit.machine import Machine
from diag.nodekit.netdev import NET
from diag.nodekit.nvidia_smi import INVALID_FIELD, is_fault, query
from diag.nodekit.nvme import NVME
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, word

INFINIBAND = "/sys/class/infiniband"
GPUS = "/proc/driver/nvidia/gpus"
GPU_QUERY = query(("pci.bus_id", "vbios_version", "inforom.img"))
TPM = "/sys/class/tpm/tpm0"
TPM_PROPERTIES = ("/usr/bin/tpm2_getcap", "properties-fixed")
MAX_ADAPTERS = 16  # that are asked with a process each
MAX_PARTS = 64
WITH_BOARD = re.compile(r"(\S+) \((\S+)\)")  # mlx5: `28.45.4028 (NVD0000000087)`
BUS_ID = re.compile(r"([0-9A-Fa-f]{4,8}):([0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])")
UNKNOWN_BIOS = "??.??.??.??.??"  # what the driver prints before it has read the VBIOS


def adapters(look: Look) -> dict[str, Any]:
    """Firmware of network adapters by device address: from sysfs where a driver tells it there, else from ethtool."""
    machine = look.machine
    found = _rdma_adapters(machine)
    asked = 0
    for interface in machine.names(NET):
        address = machine.link_name(f"{NET}/{interface}/device")
        if address is None or address in found or asked == MAX_ADAPTERS:
            continue
        asked += 1
        told = look.at(
            f"nics[{name(address)}]", partial(ethtool_firmware, machine, interface), f"ethtool -i {interface}"
        )
        if told is not None:
            found[name(address)] = told
    return found


def _rdma_adapters(machine: Machine) -> dict[str, Any]:
    found = {}
    for device in machine.names(INFINIBAND)[:MAX_PARTS]:
        here = f"{INFINIBAND}/{device}"
        address, version = machine.link_name(f"{here}/device"), word(machine.read_or_none(f"{here}/fw_ver"))
        if address is not None and version is not None:
            found[name(address)] = {"version": version, "board_id": word(machine.read_or_none(f"{here}/board_id"))}
    return found


def ethtool_firmware(machine: Machine, interface: str) -> dict[str, Any] | None:
    """What the driver of an interface says about its firmware, None where it says nothing.

    Raises MissingTool, TimeoutError, Unevaluated.
    """
    ran = machine.run(("ethtool", "-i", interface), seconds=0.5)
    if ran.exit_status != 0:
        words = one_line(ran.stderr or ran.stdout)
        if "not supported" in words.lower():
            raise NotApplicable(words)
        raise Unevaluated(UnknownReason.IO_ERROR, f"ethtool ended with {ran.exit_status}: {words}")
    return parse_ethtool(ran.stdout)


def parse_ethtool(text: str) -> dict[str, Any] | None:
    """Version, and board id where the driver adds it; raises ValueError when no line names the firmware."""
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if key.strip() == "firmware-version" and colon:
            match = WITH_BOARD.fullmatch(value.strip())
            version = word(match[1] if match else value)
            return None if version is None else {"version": version, "board_id": word(match[2]) if match else None}
    raise ValueError("ethtool names no firmware-version")


def drives(machine: Machine) -> dict[str, str]:
    """Firmware revisions of the NVMe controllers by name."""
    read = {at: word(machine.read_or_none(f"{NVME}/{at}/firmware_rev")) for at in machine.names(NVME)[:MAX_PARTS]}
    return {name(at): version for at, version in read.items() if version is not None}


def gpus(look: Look) -> dict[str, Any]:
    """Firmware of the GPUs that the NVIDIA driver holds, by PCI address; nothing where it is not loaded."""
    machine = look.machine
    addresses = machine.names(GPUS)[:MAX_PARTS]
    found: dict[str, Any] = {}
    for address in addresses:
        info = parse_information(machine.read(f"{GPUS}/{address}/information"))
        bios = info.get("Video BIOS", "")
        found[name(address)] = {
            "gsp": word(info.get("GPU Firmware")),
            "vbios": None if "?" in bios else word(bios),
        }
    if found:
        told, trouble = look.tried(lambda: _ask(machine))
        for address, gpu in found.items():
            cells = (told or {}).get(address)
            if cells is not None:
                _add(look, gpu, f"gpus[{address}]", cells)
            else:
                _lacking(look, gpu, f"gpus[{address}]", trouble)
    return found


def parse_information(text: str) -> dict[str, str]:
    """The lines of /proc/driver/nvidia/gpus/ADDRESS/information."""
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def parse_gpu_rows(text: str) -> dict[str, tuple[str, str]]:
    """VBIOS and inforom cells by PCI address as sysfs writes it; raises ValueError when there is no row."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        match = BUS_ID.fullmatch(cells[0])
        if match is not None and len(cells) == 3:
            found[f"{int(match[1], 16):04x}:{match[2].lower()}"] = (cells[1], cells[2])
    if not found:
        raise ValueError("nvidia-smi names no GPU")
    return found


def _ask(machine: Machine) -> dict[str, tuple[str, str]]:
    ran = machine.run(GPU_QUERY, seconds=5.0)
    if ran.exit_status != 0:
        words = one_line(ran.stdout or ran.stderr)
        reason = UnknownReason.PARSE_ERROR if INVALID_FIELD.search(words) else UnknownReason.IO_ERROR
        raise Unevaluated(reason, f"nvidia-smi ended with {ran.exit_status}: {words}")
    return parse_gpu_rows(ran.stdout)


def _lacking(look: Look, gpu: dict[str, Any], path: str, trouble: Trouble | None) -> None:
    """Note what nvidia-smi alone would have told."""
    summary = trouble.summary if trouble else "nvidia-smi does not name this GPU"
    reason = (trouble and trouble.reason) or UnknownReason.PRECONDITION
    if trouble and trouble.bug:
        look.bugs.append(trouble.bug)
    for field in ("vbios", "inforom"):
        if gpu.get(field) is None:
            look.missing(f"{path}.{field}", reason, summary, " ".join(GPU_QUERY))


def _add(look: Look, gpu: dict[str, Any], path: str, cells: tuple[str, str]) -> None:
    for field, cell in zip(("vbios", "inforom"), cells, strict=True):
        if is_fault(cell):
            look.missing(f"{path}.{field}", UnknownReason.IO_ERROR, f"nvidia-smi says {cell}", " ".join(GPU_QUERY))
        else:
            gpu[field] = word(cell) or gpu.get(field)


def tpm(machine: Machine) -> dict[str, Any] | None:
    """Maker and firmware of the TPM, None where there is none; needs root.

    Raises MissingTool, PermissionError, TimeoutError, Unevaluated, ValueError.
    """
    if not machine.exists(TPM):
        return None
    ran = machine.run(TPM_PROPERTIES, seconds=3.0, elevate=True)
    if ran.exit_status != 0:
        words = one_line(ran.stderr or ran.stdout)
        raise Unevaluated(UnknownReason.IO_ERROR, f"tpm2_getcap ended with {ran.exit_status}: {words}")
    return parse_tpm(ran.stdout)


def parse_tpm(text: str) -> dict[str, Any]:
    """`version` is that of the firmware as four numbers of 16 bits, as makers write it; raises ValueError."""
    raw: dict[str, int] = {}
    values: dict[str, str] = {}
    title = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "raw":
            raw[title] = int(value, 16)
        elif key == "value":
            values[title] = value.strip('"')
        else:
            title = key
    high, low = raw.get("TPM2_PT_FIRMWARE_VERSION_1"), raw.get("TPM2_PT_FIRMWARE_VERSION_2")
    if high is None or low is None:
        raise ValueError("tpm2_getcap names no firmware version")
    return {
        "manufacturer": word(values.get("TPM2_PT_MANUFACTURER")),
        "version": f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}",
        "version_raw": f"0x{high:08x}{low:08x}",
    }
