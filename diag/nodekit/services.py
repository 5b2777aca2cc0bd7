"""Services that a node is meant to run: asked of systemd in one command, judged one by one.

A unit that is enabled, was stopped and never failed does not show among the failed units.
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.systemd import refused
from diag.nodekit.vocabulary import Status, UnknownReason

DOCKER = "docker.service"
CONTAINERD = "containerd.service"
SHOW_SERVICES = (
    "systemctl", "show", "--property=Id,LoadState,ActiveState,SubState,UnitFileState", DOCKER, CONTAINERD,
)  # fmt: skip
LOCATOR = " ".join(SHOW_SERVICES[:2])
ON = frozenset({"enabled", "enabled-runtime"})
RUNNING = frozenset({"active", "reloading", "refreshing"})


@dataclass(frozen=True)
class Service:
    """The words of systemd(1) for a unit: is its file loaded, does it run, is it switched on for boot."""

    load: str
    active: str
    sub: str
    file: str


def observe_services(machine: Machine) -> dict[str, Service]:
    """The services by name; raises MissingTool, TimeoutError, NotApplicable, Unevaluated, ValueError."""
    ran = machine.run(SHOW_SERVICES, seconds=3.0)
    if ran.exit_status != 0:
        raise refused(machine, ran)
    found = parse_services(ran.stdout)
    if not found:
        raise ValueError("systemctl show names no unit")
    return found


def parse_services(text: str) -> dict[str, Service]:
    """Blocks of `Key=value` lines, one a unit, a blank line between them."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    keys = ("LoadState", "ActiveState", "SubState", "UnitFileState")
    return {block["Id"]: Service(*(block.get(key, "") for key in keys)) for block in blocks if "Id" in block}


def judge_service(seen: dict[str, Service], unit: str) -> Finding:
    """Fail for a service that is switched on and does not run; raises NotApplicable, Unevaluated."""
    service = seen.get(unit)
    if service is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"systemd does not tell of {unit}")
    if service.load == "not-found":
        raise NotApplicable(f"{unit} is not installed")
    running = service.active in RUNNING
    if not running and service.file not in ON and service.active != "failed":
        raise NotApplicable(f"{unit} is not switched on for boot ({service.file or service.load or 'no state'})")
    readings = (Reading("SubState", service.sub), Reading("UnitFileState", service.file))
    if running:
        return Finding(Status.PASS, f"{unit} runs", value=service.active, locator=LOCATOR, readings=readings)
    starting = service.active == "activating" and service.sub != "auto-restart"
    return Finding(
        Status.WARN if starting else Status.FAIL,
        f"{unit} is still starting ({service.sub})"
        if starting
        else f"{unit} is switched on and does not run: {service.active} ({service.sub})",
        value=service.active,
        locator=LOCATOR,
        action=f"Read `systemctl status {unit}` and `journalctl -u {unit} -b`, then `systemctl start {unit}`, or "
        "disable it where the node shall do without",
        readings=readings,
    )
