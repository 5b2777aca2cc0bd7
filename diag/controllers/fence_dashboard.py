"""Keep the vendor's dashboard, which offers updates to whoever opens it, from starting one meanwhile."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Verdict, holds, lacks, ready
from diag.nodekit.parameters import UNIT, Words
from diag.nodekit.unit_states import RUNS, in_state, mask, unit_states, unmask

DASHBOARD = ("dgx-dashboard.service", "dgx-dashboard-admin.service")


def _units(asked: Asked) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*DASHBOARD, *asked.given["more"])))


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Which of the units there are."""
    seen = unit_states(machine, _units(asked))
    there = in_state(seen, _units(asked))
    if not there:
        return holds("none of the units can be started", **seen)
    return ready(f"to be fenced off: {', '.join(there)}", **seen)


def argv(asked: Asked) -> Argv:
    """The command, for the units that there are."""
    return mask(in_state(asked.before, _units(asked)))


def undo(asked: Asked) -> Argv:
    """The way back, for those that were not masked before."""
    units = _units(asked)
    return unmask(in_state(asked.before, units), in_state(asked.before, units, runs=True))


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """None of the units runs, and none can be started."""
    seen = unit_states(machine, _units(asked))
    loose = in_state(seen, _units(asked))
    if loose:
        why = "unit_runs" if seen[loose[0]] in RUNS else "not_masked"
        return lacks(why, f"{loose[0]} is {seen[loose[0]]} and not masked", **seen)
    return holds("none of the units can be started", **seen)


CONTROLLER = Controller(
    "Keep the vendor's dashboard from starting an update",
    {
        "more": Words(
            "units beside those of the dashboard, such as apt-daily-upgrade.timer", UNIT, required=False, most=8
        )
    },
    precheck,
    argv,
    postcheck,
    longest_s=180,
    undo=undo,
    needs_before=True,
)
