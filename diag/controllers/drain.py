"""Stop the units that serve, where nobody else computes on the GPU or sits at a terminal."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.gpu_processes import gpu_processes
from diag.nodekit.parameters import UNIT, Flag, Words
from diag.nodekit.terminals import people_at_terminals
from diag.nodekit.unit_states import ABSENT, RUNS, SYSTEMCTL, in_state, unit_states


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Every unit is there, and what computes on the GPU belongs to one of them."""
    units = asked.given["units"]
    seen = unit_states(machine, units)
    absent = [unit for unit in units if seen[unit] == ABSENT]
    if absent:
        raise Refused("unit_absent", f"there is no unit {absent[0]}", seen)
    _refuse_others(machine, asked, seen)
    running = in_state(seen, units, runs=True)
    if not running:
        return holds("none of the units runs", **seen)
    return ready(f"to be stopped: {', '.join(running)}", **seen)


def _refuse_others(machine: ActingMachine, asked: Asked, seen: Seen) -> None:
    """Work and people that the drain would hurt."""
    processes = gpu_processes(machine)
    others = [one for one in processes if one.unit not in asked.given["units"]]
    people = people_at_terminals(machine)
    seen |= {"gpu_processes": len(processes), "gpu_processes_of_others": len(others), "people": len(people)}
    if asked.given["force"]:
        return
    if others:
        first = others[0]
        where = f" of {first.unit}" if first.unit else ""
        raise Refused("gpu_in_use", f"{first.name} ({first.pid}){where} computes on the GPU", seen)
    if people:
        raise Refused("in_use", f"{people[0]} is signed in", seen)


def argv(asked: Asked) -> Argv:
    """The command, for the units that run."""
    running = in_state(asked.before, asked.given["units"], runs=True)
    return (SYSTEMCTL, "stop", *running) if running else ()


def undo(asked: Asked) -> Argv:
    """The way back, for those that ran before."""
    running = in_state(asked.before, asked.given["units"], runs=True)
    return (SYSTEMCTL, "start", *running) if running else ()


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """None of the units runs, and nothing of them computes on the GPU."""
    units = asked.given["units"]
    seen = unit_states(machine, units)
    running = [unit for unit in units if seen[unit] in RUNS]
    if running:
        return lacks("unit_runs", f"{running[0]} is {seen[running[0]]}", **seen)
    left = [one for one in gpu_processes(machine) if one.unit in units]
    if left:
        return lacks("gpu_in_use", f"{left[0].name} ({left[0].pid}) still computes on the GPU", **seen)
    return holds("none of the units runs", **seen)


CONTROLLER = Controller(
    "Stop the units that serve",
    {
        "units": Words("the units that serve", UNIT, most=20),
        "force": Flag("whether to stop them though others compute on the GPU or are signed in at a terminal"),
    },
    precheck,
    argv,
    postcheck,
    longest_s=600,
    undo=undo,
    needs_before=True,
)
