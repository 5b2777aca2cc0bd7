"""Take a node out of service: what serves is stopped, and cannot be started before it is released or boots."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Verdict, holds, lacks, ready
from diag.nodekit.parameters import UNIT, Words
from diag.nodekit.unit_states import ABSENT, MASKED, RUNS, in_state, mask, unit_states, unmask


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Every unit that is named is there."""
    units = asked.given["units"]
    seen = unit_states(machine, units)
    absent = [unit for unit in units if seen[unit] == ABSENT]
    if absent:
        raise Refused("unit_absent", f"there is no unit {absent[0]}", seen)
    there = in_state(seen, units)
    if not there:
        return holds("every unit is masked and stopped", **seen)
    return ready(f"to be masked and stopped: {', '.join(there)}", **seen)


def argv(asked: Asked) -> Argv:
    """The command, for the units that are not masked."""
    return mask(in_state(asked.before, asked.given["units"]))


def undo(asked: Asked) -> Argv:
    """The way back, for those that were not masked before."""
    units = asked.given["units"]
    return unmask(in_state(asked.before, units), in_state(asked.before, units, runs=True))


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Every unit is masked, and none runs."""
    seen = unit_states(machine, asked.given["units"])
    loose = [unit for unit in asked.given["units"] if seen[unit] != MASKED]
    if loose:
        why = "unit_runs" if seen[loose[0]] in RUNS else "not_masked"
        return lacks(why, f"{loose[0]} is {seen[loose[0]]} and not masked", **seen)
    return holds("every unit is masked and stopped", **seen)


CONTROLLER = Controller(
    "Stop what serves, and keep it from being started until the next boot",
    {"units": Words("the units that serve", UNIT, most=20)},
    precheck,
    argv,
    postcheck,
    longest_s=600,
    undo=undo,
    needs_before=True,
)
