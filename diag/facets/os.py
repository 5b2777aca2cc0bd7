"""The operating system: what is installed, what runs, and what the next boot is expected to take."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from diag.nodekit.bootloader import (
    CMDLINE,
    GRUB_DEFAULTS,
    GRUB_ENVIRONMENT,
    boot_parameters,
    grub_settings,
    next_kernel,
)
from diag.nodekit.dmi import DMI, dmi_value
from diag.nodekit.facet import Facet, Look
from diag.nodekit.kernels import BOOT, Kernels, kernels
from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import UPTIME, uptime
from diag.nodekit.release import DGX_RELEASE, every_value, release_values
from diag.nodekit.systemd import refused

OS_RELEASE = "/etc/os-release"
FASTOS_RELEASE = "/etc/fastos-release"
REBOOT_MARK = "/run/reboot-required"
REBOOT_PACKAGES = "/run/reboot-required.pkgs"
SYSTEMD_VERSION = ("systemctl", "--version")
TIME_SERVICES = (
    "systemctl", "show", "--property=Id,ActiveState", "systemd-timesyncd.service", "chrony.service", "ntpsec.service",
    "ntp.service",
)  # fmt: skip
DEFAULT_TARGETS = ("/etc/systemd/system/default.target", "/usr/lib/systemd/system/default.target")
NEXT = ("next_boot", "next_boot_by")
ZONE = re.compile(r"/zoneinfo/(?:posix/|right/)?(.+)$")
# SMBIOS type 3 chassis types in the words of hostnamectl (systemd, src/hostname/hostnamed.c).
CHASSIS = {
    **dict.fromkeys((3, 4, 6, 7, 13), "desktop"),
    **dict.fromkeys((8, 9, 10, 14), "laptop"),
    11: "handset",
    **dict.fromkeys((17, 28, 29), "server"),
    30: "tablet",
    **dict.fromkeys((31, 32), "convertible"),
    **dict.fromkeys((33, 34, 35, 36), "embedded"),
}

FACET = Facet(title="Operating system")


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    look.volatile["uptime_seconds"] = look.at("uptime_seconds", lambda: uptime(machine), UPTIME)
    look.volatile["reboot_required_since"] = look.at("reboot_required_since", lambda: _since(machine), REBOOT_MARK)
    return {
        "distribution": look.at("distribution", lambda: _distribution(machine), OS_RELEASE),
        "dgx": look.at("dgx", lambda: _dgx(machine), DGX_RELEASE),
        "fastos": look.at("fastos", lambda: _fastos(machine), FASTOS_RELEASE),
        "architecture": look.at("architecture", lambda: _line(machine, "/proc/sys/kernel/arch")),
        "kernel": _kernel(look),
        "boot_parameters": look.at("boot_parameters", lambda: boot_parameters(machine.read(CMDLINE, 8192)), CMDLINE),
        "reboot_required": look.at("reboot_required", lambda: machine.exists(REBOOT_MARK), REBOOT_MARK),
        "reboot_packages": look.at("reboot_packages", lambda: _reboot_packages(machine), REBOOT_PACKAGES),
        "systemd_version": look.at("systemd_version", lambda: _systemd(machine), " ".join(SYSTEMD_VERSION)),
        "default_target": look.at("default_target", lambda: _default_target(machine)),
        "timezone": look.at("timezone", lambda: _timezone(machine), "/etc/localtime"),
        "locale": look.at("locale", lambda: _locale(machine), "/etc/locale.conf"),
        "time_services": look.at("time_services", lambda: _time_services(machine), "systemctl show"),
        "chassis": look.at("chassis", lambda: _chassis(machine), f"{DMI}/chassis_type"),
        "cgroup_version": look.at("cgroup_version", lambda: _cgroup_version(machine), "/sys/fs/cgroup"),
    }


def _distribution(machine: Machine) -> dict[str, Any] | None:
    text = machine.read_or_none(OS_RELEASE) or machine.read_or_none("/usr/lib/os-release")
    if not text:
        return None
    values = release_values(text)
    keys = {
        "id": "ID", "like": "ID_LIKE", "version_id": "VERSION_ID", "version": "VERSION", "codename": "VERSION_CODENAME",
        "pretty_name": "PRETTY_NAME",
    }  # fmt: skip
    return {field: values.get(key, "")[:120] or None for field, key in keys.items()}


def _dgx(machine: Machine) -> dict[str, Any] | None:
    text = machine.read_or_none(DGX_RELEASE)
    if text is None:
        return None
    values, ota = release_values(text), every_value(text, "DGX_OTA_VERSION")
    keys = {
        "name": "DGX_NAME", "pretty_name": "DGX_PRETTY_NAME", "build_version": "DGX_SWBUILD_VERSION",
        "build_date": "DGX_SWBUILD_DATE", "commit": "DGX_COMMIT_ID", "platform": "DGX_PLATFORM",
        "ota_date": "DGX_OTA_DATE",
    }  # fmt: skip
    found: dict[str, Any] = {field: values.get(key, "")[:120] or None for field, key in keys.items()}
    version = ota[-1] if ota else found["build_version"]
    return {**found, "ota_versions": [one[:120] for one in ota[-50:]], "version": version[:120] if version else None}


def _fastos(machine: Machine) -> dict[str, Any] | None:
    text = machine.read_or_none(FASTOS_RELEASE)
    if text is None:
        return None
    values = release_values(text)
    return {"name": values.get("NAME", "")[:120] or None, "version": values.get("VERSION", "")[:120] or None}


def _kernel(look: Look) -> dict[str, Any]:
    machine = look.machine
    build = look.at("kernel.build", lambda: _line(machine, "/proc/sys/kernel/version"))
    told = tuple(f"kernel.{field}" for field in ("images", "modules", "initrds", *NEXT))
    found = look.at("kernel.running", lambda: kernels(machine), BOOT, also=told)
    if found is None:
        return {"build": build}
    by = (f"kernel.{NEXT[1]}",)
    chosen = look.at("kernel.next_boot", lambda: _next(machine, found), GRUB_DEFAULTS, also=by) or (None, None)
    return {
        "running": found.running[:120] or None,
        "build": build,
        "images": sorted(found.images),
        "modules": sorted(found.modules),
        "initrds": sorted(found.initrds),
        **dict(zip(NEXT, chosen, strict=True)),
    }


def _next(machine: Machine, found: Kernels) -> tuple[str | None, str]:
    environment = release_values((machine.read_or_none(GRUB_ENVIRONMENT) or "")[:1024])
    return next_kernel(found, grub_settings(machine), environment)


def _since(machine: Machine) -> str | None:
    if not machine.exists(REBOOT_MARK):
        return None
    moment = dt.datetime.fromtimestamp(int(machine.modified(REBOOT_MARK)), dt.timezone.utc)
    return moment.isoformat().replace("+00:00", "Z")


def _reboot_packages(machine: Machine) -> list[str]:
    return sorted({name[:120] for name in (machine.read_or_none(REBOOT_PACKAGES) or "").split()})[:1000]


def _systemd(machine: Machine) -> str:
    """The distribution's version where the build names one, else systemd's own number."""
    ran = machine.run(SYSTEMD_VERSION, seconds=3.0)
    match = re.match(r"systemd (\d+)(?: \(([^)]{1,110})\))?", ran.stdout)
    if ran.exit_status != 0 or match is None:
        raise refused(machine, ran)
    return match[2] or match[1]


def _default_target(machine: Machine) -> str | None:
    return next((name for name in map(machine.link_name, DEFAULT_TARGETS) if name), None)


def _timezone(machine: Machine) -> str | None:
    """UTC where there is no /etc/localtime, as localtime(5) has it."""
    target = machine.link_target("/etc/localtime")
    if target is None:
        return _line(machine, "/etc/timezone") if machine.exists("/etc/localtime") else "UTC"
    match = ZONE.search(target)
    return match[1][:120] if match else None


def _locale(machine: Machine) -> str | None:
    for path in ("/etc/locale.conf", "/etc/default/locale"):
        value = release_values(machine.read_or_none(path) or "").get("LANG", "")
        if value:
            return value[:120]
    return None


def _time_services(machine: Machine) -> list[str]:
    ran = machine.run(TIME_SERVICES, seconds=3.0)
    if ran.exit_status != 0:
        raise refused(machine, ran)
    blocks = (release_values(block) for block in ran.stdout.split("\n\n"))
    active = {block.get("Id", "") for block in blocks if block.get("ActiveState") == "active"}
    return sorted(name.removesuffix(".service")[:120] for name in active if name)


def _chassis(machine: Machine) -> str | None:
    """What /etc/machine-info says, else what SMBIOS says; an unknown type is no chassis."""
    told = release_values(machine.read_or_none("/etc/machine-info") or "").get("CHASSIS", "")
    number = dmi_value(machine, "chassis_type")
    return told[:120] or (CHASSIS.get(int(number)) if number else None)


def _cgroup_version(machine: Machine) -> int | None:
    if machine.exists("/sys/fs/cgroup/cgroup.controllers"):
        return 2
    return 1 if machine.names("/sys/fs/cgroup") else None


def _line(machine: Machine, path: str) -> str | None:
    """The first line of a file, None where the file is absent or empty."""
    return (machine.read_or_none(path) or "").split("\n", 1)[0].strip()[:120] or None
