"""What the machine is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from diag.nodekit.cores import CPU, caches, core_types, current_mhz, frequency
from diag.nodekit.facet import Facet, Look, Part
from diag.nodekit.folder import children, value
from diag.nodekit.gpu_rows import gpus
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import NVME
from diag.nodekit.parts import TPM, USB, WATCHDOG, nics, nvme, pci, tpms, usb, watchdogs
from diag.nodekit.pci import Function, pci_functions
from diag.nodekit.platform import PCI_DEVICES
from diag.nodekit.proc_files import MEMINFO, meminfo
from diag.nodekit.processors import CPUINFO
from diag.nodekit.sensor_list import sensors, thermal_zones
from diag.nodekit.thermal import HWMON, THERMAL
from diag.nodekit.words import name

FACET = Facet(title="Hardware")
DROPS = ("sensors", "usb", "pci")
NODES = "/sys/devices/system/node"
SMAPS = "/proc/self/smaps"
SMAPS_BYTES = 4096  # the first mapping tells


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    look.volatile["current_mhz"] = look.at("current_mhz", lambda: current_mhz(machine), CPU)
    return {"processors": _processors(look), "memory": _memory(look)}


def _bus(look: Look) -> dict[str, Any]:
    machine = look.machine
    functions = look.at("pci", lambda: _functions(machine), PCI_DEVICES, also=("gpus", "nics"))
    return {} if functions is None else _on_the_bus(look, functions)


def _functions(machine: Machine) -> tuple[Function, ...]:
    return pci_functions(machine) if machine.names(PCI_DEVICES) else ()


def _on_the_bus(look: Look, functions: tuple[Function, ...]) -> dict[str, Any]:
    return {
        "pci": look.at("pci", lambda: pci(look, functions), PCI_DEVICES),
        "gpus": look.at("gpus", lambda: gpus(look, functions)),
        "nics": look.at("nics", lambda: nics(look, functions), PCI_DEVICES),
    }


def _processors(look: Look) -> dict[str, Any]:
    machine = look.machine
    lists = {
        which: look.at(f"processors.{which}", partial(value, machine, f"{CPU}/{which}"), f"{CPU}/{which}")
        for which in ("present", "online")
    }
    return {
        **lists,
        "types": look.at("processors.types", lambda: core_types(machine), CPUINFO),
        "frequency": look.at("processors.frequency", lambda: frequency(machine), f"{CPU}/cpufreq"),
        "caches": look.at("processors.caches", lambda: caches(machine), CPU),
    }


def _memory(look: Look) -> dict[str, Any]:
    machine = look.machine
    others = ("memory.swap_total_bytes", "memory.huge_page_bytes")
    sizes = look.at("memory.total_bytes", lambda: meminfo(machine), MEMINFO, also=others) or {}
    look.volatile["memory_available_bytes"] = sizes.get("MemAvailable")
    return {
        "total_bytes": sizes.get("MemTotal"),
        "swap_total_bytes": sizes.get("SwapTotal"),
        "huge_page_bytes": sizes.get("Hugepagesize"),
        "page_bytes": look.at("memory.page_bytes", lambda: _page_bytes(machine), SMAPS),
        "numa_nodes": look.at("memory.numa_nodes", lambda: _numa_nodes(machine), NODES),
    }


def _page_bytes(machine: Machine) -> int | None:
    for line in machine.read(SMAPS, SMAPS_BYTES).splitlines():
        key, _, size = line.partition(":")
        if key == "KernelPageSize":
            return int(size.split()[0]) * 1024
    return None


def _numa_nodes(machine: Machine) -> dict[str, Any]:
    found = {}
    for node in children(machine, NODES, r"node[0-9]+"):
        total = None
        for line in (machine.read_or_none(f"{NODES}/{node}/meminfo") or "").splitlines():
            words = line.split()
            if len(words) == 5 and words[2] == "MemTotal:":
                total = int(words[3]) * 1024
        found[name(node)] = {"cpus": value(machine, f"{NODES}/{node}/cpulist"), "total_bytes": total}
    return found


def _part(field: str, read: Callable[[Look], dict[str, Any]], locator: str) -> Part:
    return Part((field,), lambda look: {field: look.at(field, lambda: read(look), locator)})


APART = (
    Part(("pci", "gpus", "nics"), _bus, 8.0),
    _part("nvme", nvme, NVME),
    _part("usb", usb, USB),
    _part("tpms", tpms, TPM),
    _part("watchdogs", watchdogs, WATCHDOG),
    _part("sensors", sensors, HWMON),
    _part("thermal_zones", thermal_zones, THERMAL),
)
