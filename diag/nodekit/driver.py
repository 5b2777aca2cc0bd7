"""The NVIDIA kernel driver: what is loaded, and for which kernels a module is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.kernels import MODULES, Kernels, kernels
from diag.nodekit.machine import Machine
from diag.nodekit.nvidia_smi import KERNEL_MODULE, require_gb10
from diag.nodekit.platform import platform_evidence

PROC_MODULES = "/proc/modules"
SYS_MODULE = "/sys/module/nvidia"
MAX_INDEX_BYTES = 8 * 1024 * 1024
# modules.dep of a kernel has a line per module: `kernel/nvidia-580-open/nvidia.ko.zst: ...`.
MODULE_LINE = re.compile(r"^(\S*/nvidia\.ko(?:\.\w+)?):", re.MULTILINE)
ANY_LINE = re.compile(r"^\S+\.ko(?:\.\w+)?:", re.MULTILINE)
VERSION = re.compile(r"\b(\d{3}\.\d+(?:\.\d+)?)\b")
OPEN_FLAVOUR, PROPRIETARY_FLAVOUR = "Open Kernel Module", "Kernel Module"


@dataclass(frozen=True)
class LoadedDriver:
    """`loaded` names the modules in the kernel; `version_text` is /proc/driver/nvidia/version, None when absent."""

    loaded: frozenset[str]
    version_text: str | None

    @property
    def version(self) -> str | None:
        """`580.95.05`, None when the driver does not tell."""
        return module_version(self.version_text)


@dataclass(frozen=True)
class InstalledDriver:
    """For the running and the newest kernel, the driver's path in modules.dep: empty where it has none, None where
    there is no such file.
    """

    kernels: Kernels
    modules: dict[str, str | None]


def observe_loaded(machine: Machine) -> LoadedDriver:
    """Which NVIDIA modules the kernel of a GB10 holds; raises OSError when it does not say, NotApplicable elsewhere."""
    require_gb10(platform_evidence(machine))
    lines = machine.read(PROC_MODULES).splitlines()
    names = {line.split(" ", 1)[0] for line in lines}
    loaded = {name for name in names if name.startswith("nvidia")}
    if machine.exists(SYS_MODULE):
        loaded.add("nvidia")  # also when it is built into the kernel
    return LoadedDriver(frozenset(loaded), machine.read_or_none(KERNEL_MODULE))


def observe_installed(machine: Machine) -> InstalledDriver:
    """Look up the driver in the module index of a GB10's running and of its newest kernel."""
    require_gb10(platform_evidence(machine))
    found = kernels(machine)
    releases = {found.running, found.newest or found.running}
    return InstalledDriver(found, {release: installed_module(machine, release) for release in releases})


def module_version(text: str | None) -> str | None:
    """The version in the first line of /proc/driver/nvidia/version."""
    first, _, _ = (text or "").partition("\n")
    match = VERSION.search(first)
    return match[1] if match else None


def installed_module(machine: Machine, release: str) -> str | None:
    """The driver's path in a kernel's modules.dep: empty where it has none, None where there is no such file."""
    index = f"{MODULES}/{release}/modules.dep"
    if not machine.exists(index):
        return None
    text = machine.read(index, MAX_INDEX_BYTES)
    if not ANY_LINE.search(text):
        raise ValueError(f"{index} lists no module")
    match = MODULE_LINE.search(text)
    return match[1] if match else ""
