"""NVMe controllers from sysfs, and the SMART / health log of the first one through nvme-cli."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.proc_files import number
from diag.nodekit.vocabulary import UnknownReason

NVME = "/sys/class/nvme"
SMART_LOG = ("/usr/sbin/nvme", "smart-log", "-o", "json", "/dev/nvme0")
SMART_SECONDS = 4.0
KELVIN = 273


@dataclass(frozen=True)
class Controller:
    """One NVMe controller; `state` is the kernel's word, of which only `live` is good."""

    name: str
    state: str
    model: str
    firmware: str


@dataclass(frozen=True)
class Smart:
    """The SMART / health log: shares in percent, counts since manufacture, `celsius` the composite temperature."""

    critical_warning: int
    spare: float | None
    spare_threshold: float | None
    used: float | None
    media_errors: float | None
    unsafe_shutdowns: float | None
    celsius: float | None
    power_on_hours: float | None = None
    power_cycles: float | None = None


def controllers(machine: Machine) -> tuple[Controller, ...]:
    """The controllers on the PCI bus (those over a network are left out); raises OSError."""
    found = []
    for name in machine.names(NVME):
        here = f"{NVME}/{name}"
        if (machine.read_or_none(f"{here}/transport") or "pcie").strip() != "pcie":
            continue
        found.append(
            Controller(
                name,
                machine.read(f"{here}/state").strip(),
                (machine.read_or_none(f"{here}/model") or "unnamed model").strip(),
                (machine.read_or_none(f"{here}/firmware_rev") or "").strip(),
            )
        )
    return tuple(found)


def require_controller(machine: Machine) -> None:
    """Raise NotApplicable on another machine without NVMe, Unevaluated on a GB10 whose drive is gone."""
    if any(name.startswith("nvme") for name in machine.names(NVME)):
        return
    if platform_evidence(machine).is_gb10 is False and machine.names("/sys/class"):
        raise NotApplicable("this machine has no NVMe controller")
    raise Unevaluated(UnknownReason.PRECONDITION, f"no NVMe controller is listed in {NVME}")


def observe_smart(machine: Machine) -> Smart:
    """Ask the first controller for its health; needs root."""
    require_controller(machine)
    ran = machine.run(SMART_LOG, seconds=SMART_SECONDS - 1, elevate=True)
    if ran.exit_status != 0:
        words = f"nvme smart-log ended with {ran.exit_status}: {one_line(ran.stderr or ran.stdout)}"
        if "permission denied" in words.lower():
            raise PermissionError(words)
        raise Unevaluated(UnknownReason.IO_ERROR, words)
    return parse_smart(ran.stdout)


def parse_smart(text: str) -> Smart:
    """Read the JSON of `nvme smart-log`, in its plain and in its verbose shape; raises ValueError."""
    try:
        log = json.loads(text)
    except RecursionError as error:
        raise ValueError("the smart-log is nested too deeply") from error
    if not isinstance(log, dict):
        raise ValueError("the smart-log is not a JSON object")  # noqa: TRY004 - bad text from a tool is a ValueError
    warning = _value(log, "critical_warning")
    if warning is None:
        raise ValueError("the smart-log has no critical_warning")
    kelvin = _value(log, "temperature")
    return Smart(
        critical_warning=int(warning),
        spare=_value(log, "avail_spare", "available_spare"),
        spare_threshold=_value(log, "spare_thresh", "available_spare_threshold"),
        used=_value(log, "percent_used", "percentage_used"),
        media_errors=_value(log, "media_errors"),
        unsafe_shutdowns=_value(log, "unsafe_shutdowns"),
        celsius=None if kelvin is None else kelvin - KELVIN,
        power_on_hours=_value(log, "power_on_hours"),
        power_cycles=_value(log, "power_cycles"),
    )


def _value(log: dict[str, Any], *names: str) -> float | None:
    for name in names:
        value = log.get(name)
        if isinstance(value, dict):
            value = value.get("value")
        if value is not None and not isinstance(value, bool):
            # Counters are numbers, or strings where a build of nvme-cli finds them too large for a number.
            return number(str(value).replace(",", ""))
    return None
