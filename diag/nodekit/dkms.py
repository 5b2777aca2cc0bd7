"""DKMS: modules that are built on the node, from its folder of state.

DKMS keeps /var/lib/dkms/MODULE/VERSION/KERNEL/ARCH for each build, and MODULE/kernel-KERNEL-ARCH as a link to the build
that it installed.
"""

from __future__ import annotations

from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.words import bounded, name

DKMS = "/var/lib/dkms"
NOT_KERNELS = frozenset({"source", "build"})
INSTALLED_PREFIX = "kernel-"
MAX_ENTRIES = 200


def dkms_modules(machine: Machine) -> dict[str, Any]:
    """State of every build (`built`, `installed`) by `MODULE/VERSION` and `KERNEL/ARCH`; one never built has none."""
    found: dict[str, Any] = {}
    for module in machine.names(DKMS):
        inside = machine.names(f"{DKMS}/{module}")
        installed = {entry for entry in inside if entry.startswith(INSTALLED_PREFIX)}
        for version in inside:
            here = f"{DKMS}/{module}/{version}"
            if version in installed or version == "original_module" or not machine.exists(f"{here}/source"):
                continue
            builds = {}
            for kernel in machine.names(here):
                if kernel in NOT_KERNELS:
                    continue
                for arch in machine.names(f"{here}/{kernel}"):
                    link = f"{INSTALLED_PREFIX}{kernel}-{arch}"
                    is_this = link in installed and _version_of(machine, f"{DKMS}/{module}/{link}") == version
                    builds[name(f"{kernel}/{arch}")] = "installed" if is_this else "built"
            found[name(f"{module}/{version}")] = bounded(builds, MAX_ENTRIES, "builds")
    return bounded(found, MAX_ENTRIES, "DKMS modules")


def _version_of(machine: Machine, link: str) -> str | None:
    """The version that a link `kernel-KERNEL-ARCH` leads to (`VERSION/KERNEL/ARCH`)."""
    goal = machine.link_target(link)
    parts = (goal or "").rstrip("/").split("/")
    return parts[-3] if len(parts) >= 3 else None
