"""The generated part of docs/lifecycle.md: states, moves and kinds of evidence, from the data of the lifecycle."""

from sparkctl.lifecycle.machine import EVIDENCE, STATES, Edge
from sparkctl.model.lifecycle import Risk, UnitRule
from sparkctl.report.lifecycle_picture import MANY, edge_numbers

_UNIT = {UnitRule.ALONE: "", UnitRule.TOGETHER: "moves whole", UnitRule.DISSOLVED: "taken apart first"}
_WHO = {Risk.ROUTINE: "an operator", Risk.TWO_PERSONS: "two persons"}


def lifecycle_tables() -> str:
    """The tables of the page."""
    return "\n".join([*_moves(), "", *_states(), "", *_evidence()]) + "\n"


def _moves() -> list[str]:
    rows = ["| | from | to | phase | needs | who | a unit |", "|--:|---|---|---|---|---|---|"]
    for number, edge in edge_numbers().items():
        needs = ", ".join(f"`{kind}`" for kind in edge.needs) or "only a reason"
        cells = [_sources(edge), f"`{edge.to.value}`", edge.phase.value, needs, _WHO[edge.risk], _UNIT[edge.unit]]
        rows.append(f"| {number} | {' | '.join(cells)} |")
    return rows


def _sources(edge: Edge) -> str:
    if len(edge.sources) <= MANY:
        return ", ".join(f"`{state.value}`" for state in edge.sources)
    left_out = [state.value for state, about in STATES.items() if state not in edge.sources and not about.ends]
    return f"any but {', '.join(f'`{word}`' for word in left_out)}, and those that end a life"


def _states() -> list[str]:
    rows = ["| state | it is | phase | |", "|---|---|---|---|"]
    for state, about in STATES.items():
        rows.append(f"| `{state.value}` | {about.words} | {about.phase.value} | {'ends a life' * about.ends} |")
    return rows


def _evidence() -> list[str]:
    rows = ["| evidence | it is | it counts | provided by |", "|---|---|---|---|"]
    for kind, about in EVIDENCE.items():
        counts = "for this machine" if about.lasts else "in the state it was entered in"
        rows.append(f"| `{kind}` | {about.words} | {counts} | `{about.how_for(kind, 'NODE')}` |")
    return rows
