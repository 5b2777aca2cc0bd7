"""The GPUs of a machine as the PCI bus, the NVIDIA driver and nvidia-smi tell them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.folder import MAX_NUMBER
from diag.nodekit.machine import Machine
from diag.nodekit.nvidia_smi import KERNEL_MODULE, Gpu, query
from diag.nodekit.pci import Function
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import word

CLASS_DISPLAY = "0x03"
INFORMATION = "/proc/driver/nvidia/gpus/{}/information"
FIELDS = ("pci.bus_id", "name", "compute_cap", "memory.total", "clocks.max.sm", "temperature.gpu", "clocks.sm")
QUERY = query(FIELDS)
QUERY_SECONDS = 4.0
BUS_ID = re.compile(r"([0-9A-Fa-f]{4,8}):([0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])")
MIB = 2**20


def gpus(look: Look, functions: Sequence[Function]) -> dict[str, Any]:
    """Display controllers by PCI address; nvidia-smi is asked only where the driver holds one of them."""
    shown = [function for function in functions if function.class_code.startswith(CLASS_DISPLAY)]
    held = [function.address for function in shown if function.driver == "nvidia"]
    found: dict[str, Any] = {
        function.address: {"driver": function.driver, "name": _model(look, function.address)} for function in shown
    }
    if not held or not look.machine.exists(KERNEL_MODULE):
        return found
    rows, trouble = look.tried(lambda: _ask(look.machine))
    for address in held:
        if rows is not None and address in rows:
            _add(look, address, found[address], rows[address])
            continue
        reason = (trouble.reason if trouble else None) or UnknownReason.PRECONDITION
        summary = trouble.summary if trouble else "nvidia-smi does not list it"
        for field in ("compute_capability", "memory_total_bytes", "max_sm_mhz"):
            look.missing(f"gpus[{address}].{field}", reason, summary, QUERY[0])
    return found


def parse_rows(text: str) -> dict[str, Gpu]:
    """Rows of the query by PCI address as sysfs writes it; raises ValueError when there is none."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        match = BUS_ID.fullmatch(cells[0])
        if match is not None and len(cells) == len(FIELDS):
            found[f"{int(match[1], 16):04x}:{match[2].lower()}"] = Gpu(dict(zip(FIELDS, cells, strict=True)))
    if not found:
        raise ValueError("nvidia-smi lists no GPU")
    return found


def _ask(machine: Machine) -> dict[str, Gpu]:
    ran = machine.run(QUERY, seconds=QUERY_SECONDS)
    if ran.exit_status != 0:
        words = one_line(ran.stdout or ran.stderr)
        raise Unevaluated(UnknownReason.IO_ERROR, f"nvidia-smi ended with {ran.exit_status}: {words}")
    return parse_rows(ran.stdout)


def _model(look: Look, address: str) -> str | None:
    path = INFORMATION.format(address)
    for line in (look.at(f"gpus[{address}].name", lambda: look.machine.read_or_none(path), path) or "").splitlines():
        key, _, model = line.partition(":")
        if key.strip() == "Model":
            return word(model)
    return None


def _add(look: Look, address: str, gpu: dict[str, Any], row: Gpu) -> None:
    def at(field: str, cell: str, scale: int) -> int | None:
        return look.at(f"gpus[{address}].{field}", partial(_whole, row, cell, scale), QUERY[0])

    path = f"gpus[{address}].compute_capability"
    gpu["name"] = word(row.cells["name"]) or gpu["name"]
    gpu["compute_capability"] = word(look.at(path, lambda: row.text("compute_cap"), QUERY[0]))
    gpu["memory_total_bytes"] = at("memory_total_bytes", "memory.total", MIB)
    gpu["max_sm_mhz"] = at("max_sm_mhz", "clocks.max.sm", 1)
    now = {"celsius": at("celsius", "temperature.gpu", 1), "sm_mhz": at("sm_mhz", "clocks.sm", 1)}
    look.volatile.setdefault("gpus", {})[address] = now


def _whole(row: Gpu, cell: str, scale: int) -> int:
    found = int(row.number(cell) * scale)
    if not 0 <= found <= MAX_NUMBER:
        raise NotApplicable(f"nvidia-smi says {found} for {cell}")
    return found
