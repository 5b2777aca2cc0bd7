"""Kernel modules: which are loaded, which hold a device, and which came with the kernel."""

from __future__ import annotations

from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.words import bounded, name, word

PROC_MODULES = "/proc/modules"
SYS_MODULE = "/sys/module"
BUSES = ("pci", "platform")
OUT_OF_TREE, UNSIGNED, FORCED = "O", "E", "F"
MAX_MODULES = 1000
MAX_DEVICES = 4000


def parse_modules(text: str) -> dict[str, int | None]:
    """Loaded modules and how often each is in use, None where the kernel does not count or is just unloading one.

    Raises ValueError.
    """
    found: dict[str, int | None] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4:
            raise ValueError(f"{line[:60]!r} is no line of {PROC_MODULES}")
        count = int(fields[2]) if fields[2] != "-" else -1
        found[name(fields[0])] = count if 0 <= count < 2**32 else None
    return bounded(found, MAX_MODULES, "loaded modules")


def bound_devices(machine: Machine) -> dict[str, list[str]]:
    """Addresses of devices by the module that holds them; a driver of PCI devices that is built in has its own name."""
    found: dict[str, list[str]] = {}
    for bus in BUSES:
        devices = f"/sys/bus/{bus}/devices"
        modules: dict[str, str | None] = {}
        for device in machine.names(devices)[:MAX_DEVICES]:
            driver = machine.link_name(f"{devices}/{device}/driver")
            if driver is None:
                continue
            if driver not in modules:
                modules[driver] = machine.link_name(f"{devices}/{device}/driver/module")
            module = modules[driver] or (driver if bus == "pci" else None)
            if module is not None and (bus == "pci" or machine.exists(f"{SYS_MODULE}/{module}/initstate")):
                found.setdefault(module, []).append(name(device))
    return {module: sorted(addresses)[:MAX_MODULES] for module, addresses in found.items()}


def described(machine: Machine, loaded: dict[str, int | None]) -> dict[str, Any]:
    """The modules that hold a device, and all that did not come with the kernel."""
    devices = bound_devices(machine)
    found = {module: describe(machine, module, devices.get(module, [])) for module in {*devices, *loaded}}
    kept = {key: value for key, value in found.items() if key in devices or not value["in_tree"]}
    return bounded({name(module): kept[module] for module in sorted(kept)}, MAX_MODULES, "kernel modules")


def describe(machine: Machine, module: str, devices: list[str]) -> dict[str, Any]:
    """One module; one that is built into the kernel has no file for its taint and is part of the kernel."""
    here = f"{SYS_MODULE}/{module}"
    taint = machine.read_or_none(f"{here}/taint")
    flags = taint or ""
    if not devices and OUT_OF_TREE not in flags:
        return {"in_tree": True}
    return {
        "version": word(machine.read_or_none(f"{here}/version")),
        "srcversion": word(machine.read_or_none(f"{here}/srcversion")),
        "in_tree": OUT_OF_TREE not in flags,
        "built_in": taint is None,
        "signed": None if taint is None else UNSIGNED not in flags,
        "in_use_by": devices,
    }
