"""What systemd says about the system as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.command import Ran
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import UnknownReason

FAILED_UNITS = ("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")
SYSTEM_STATE = ("systemctl", "is-system-running")
INIT_NAME = "/proc/1/comm"


@dataclass(frozen=True)
class Unit:
    """A failed unit."""

    name: str
    description: str


def failed_units(machine: Machine) -> tuple[Unit, ...]:
    """The failed units; raises MissingTool, TimeoutError, NotApplicable, Unevaluated."""
    ran = machine.run(FAILED_UNITS, seconds=3.0)
    if ran.exit_status != 0:
        raise refused(machine, ran)
    return tuple(_unit(line) for line in ran.stdout.splitlines() if line.strip())


def system_state(machine: Machine) -> str:
    """One word of systemd: running, degraded, starting, initializing, maintenance, stopping."""
    # The exit status is not zero for every state but `running`; the word is the answer.
    ran = machine.run(SYSTEM_STATE, seconds=3.0)
    state = ran.stdout.strip()
    if not state.isalpha() or state in ("offline", "unknown"):
        raise refused(machine, ran)
    return state


def refused(machine: Machine, ran: Ran) -> Exception:
    """Why systemd does not answer: it is not there, or something is wrong."""
    init = machine.read_or_none(INIT_NAME)
    if init is not None and init.strip() != "systemd":
        return NotApplicable(f"the first process is {init.strip()}, not systemd")
    words = one_line(ran.stderr or ran.stdout)
    return Unevaluated(UnknownReason.PRECONDITION, f"systemd does not answer ({ran.exit_status}): {words}")


def _unit(line: str) -> Unit:
    name, _, active, *rest = line.lstrip("●* ").split(None, 4)
    if active != "failed":
        raise ValueError(f"{name} is not a failed unit")
    return Unit(name, rest[1] if len(rest) > 1 else "")
