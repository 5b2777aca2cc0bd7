"""Drivers: the one for the GPU, the kernel modules that hold devices, and the toolkits that need them."""

from __future__ import annotations

from functools import partial
from typing import Any

from diag.nodekit.cuda import PREFIX, default_toolkit, toolkits
from diag.nodekit.dkms import DKMS, dkms_modules
from diag.nodekit.driver import OPEN_FLAVOUR, PROPRIETARY_FLAVOUR, SYS_MODULE, installed_module, module_version
from diag.nodekit.facet import Facet, Look
from diag.nodekit.kernels import MODULES, kernels
from diag.nodekit.machine import Machine
from diag.nodekit.modules import PROC_MODULES, described, parse_modules
from diag.nodekit.nvidia_smi import KERNEL_MODULE
from diag.nodekit.platform import NVIDIA, PCI_DEVICES
from diag.nodekit.words import word

FACET = Facet(title="Drivers", seconds=6.0)
DROPS = ("loaded",)
MAX_PATH = 400
MAX_PROC_MODULES = 1024 * 1024
LIBRARY_FOLDERS = ("/usr/lib/aarch64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")
# The soname links of the driver's libraries; what they point to ends in the driver's version.
LIBRARIES = ("libnvidia-ml.so.1", "libcuda.so.1")


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    loaded = look.at(
        "loaded", lambda: parse_modules(machine.read(PROC_MODULES, MAX_PROC_MODULES)), PROC_MODULES, also=("modules",)
    )
    modules = look.at("modules", lambda: described(machine, loaded or {}), "/sys/module")
    counted = {module: (loaded or {}).get(module) for module in modules or {}}
    look.volatile["references"] = {module: count for module, count in counted.items() if count is not None}
    return {
        "nvidia": _nvidia(look),
        "modules": modules,
        "loaded": None if loaded is None else sorted(loaded),
        "dkms": look.at("dkms", lambda: dkms_modules(machine), DKMS),
        "cuda": look.at("cuda", lambda: toolkits(look), PREFIX),
        "cuda_default": look.at("cuda_default", lambda: default_toolkit(machine), PREFIX),
    }


def _loaded(machine: Machine) -> dict[str, int | None]:
    return parse_modules(machine.read(PROC_MODULES, MAX_PROC_MODULES))


def _nvidia(look: Look) -> dict[str, Any] | None:
    """The driver of NVIDIA's GPUs, None on a machine that has neither such hardware nor any part of the driver."""
    machine = look.machine
    text = look.at(
        "nvidia.version", lambda: machine.read_or_none(KERNEL_MODULE), KERNEL_MODULE, also=("nvidia.flavour",)
    )
    userspace = look.at("nvidia.userspace", lambda: userspace_version(machine), LIBRARY_FOLDERS[0])
    loaded = look.at("nvidia", lambda: machine.exists(SYS_MODULE), SYS_MODULE)
    if loaded is None:
        return None
    if text is None and userspace is None and not loaded and not look.at("nvidia", lambda: _has_hardware(machine)):
        return None
    version = module_version(text) or look.at(
        "nvidia.version", lambda: word(machine.read_or_none(f"{SYS_MODULE}/version")), SYS_MODULE
    )
    return {
        "loaded": loaded,
        "version": version,
        "flavour": flavour(text),
        "userspace": userspace,
        **_installed(look),
    }


def _has_hardware(machine: Machine) -> bool:
    vendors = (machine.read_or_none(f"{PCI_DEVICES}/{address}/vendor") for address in machine.names(PCI_DEVICES))
    return any((vendor or "").strip() == NVIDIA for vendor in vendors)


def _installed(look: Look) -> dict[str, str | None]:
    """Where the driver lies for the kernel that runs and for the one that the next boot takes."""
    machine = look.machine
    found = look.at(
        "nvidia.running_kernel_module", lambda: kernels(machine), MODULES, also=("nvidia.next_kernel_module",)
    )
    if found is None:
        return {}
    following = found.newest or found.running
    paths = {
        release: look.at(f"nvidia.{field}", partial(_path, machine, release), MODULES)
        for field, release in (("next_kernel_module", following), ("running_kernel_module", found.running))
    }
    return {"running_kernel_module": paths[found.running], "next_kernel_module": paths[following]}


def _path(machine: Machine, release: str) -> str | None:
    return word(installed_module(machine, release), MAX_PATH)


def flavour(text: str | None) -> str | None:
    """`open` or `proprietary`, as the first line of /proc/driver/nvidia/version says, None when it says neither."""
    first = (text or "").partition("\n")[0]
    if OPEN_FLAVOUR in first:
        return "open"
    return "proprietary" if PROPRIETARY_FLAVOUR in first else None


def userspace_version(machine: Machine) -> str | None:
    """The version of the driver's libraries, by the name of the file behind their links."""
    for folder in LIBRARY_FOLDERS:
        for library in LIBRARIES:
            version = module_version(machine.link_name(f"{folder}/{library}"))
            if version is not None:
                return version
    return None
