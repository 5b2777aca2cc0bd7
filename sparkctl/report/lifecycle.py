"""Lives of nodes on the screen: who is where, and what the next move waits for."""

from collections import Counter
from datetime import datetime, timedelta
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.lifecycle.machine import STATES
from sparkctl.model.lifecycle import LifecycleState, NextMove, NodeLifecycle, NodeState, Risk, UnitRule
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, count, names, to_minute

_ODD = {LifecycleState.QUARANTINED, LifecycleState.INCIDENT, LifecycleState.ERASE_FAILED, LifecycleState.LOST}


def show_states(states: list[NodeState], now: datetime, stream: TextIO) -> None:
    """How many nodes are in each state, then each state with its nodes, those of one moment together."""
    totals = Counter(one.state for one in states)
    with screen_on(stream) as console:
        parts = [f"{totals[state]:,} {state.value}" for state in STATES if totals[state]]
        console.print(Text.assemble((f"{count(len(states), 'node')}: ", "bold"), ", ".join(parts) or "none"))
        for state in STATES:
            _show_state(console, state, [one for one in states if one.state is state], now)
        if any(one.simulated for one in states):
            simulated = names(one.node_id for one in states if one.simulated)
            console.print(Text.assemble((SIMULATED, "bold cyan"), f"  {simulated}"))


def _show_state(console: Console, state: LifecycleState, nodes: list[NodeState], now: datetime) -> None:
    if not nodes:
        return
    console.print()
    style = STYLES["warn"] if state in _ODD else ""
    console.print(Text.assemble((state.value, f"bold {style}".strip()), f"  {STATES[state].words}"))
    groups: dict[tuple[datetime | None, str | None, bool], list[str]] = {}
    for one in nodes:
        groups.setdefault((one.since, one.inventory, one.differs), []).append(one.node_id)
    table = _grid()
    for (since, inventory, differs), members in groups.items():
        words = f"since {to_minute(since)}, {_age(now - since)}" if since else ""
        if state is LifecycleState.UNRECORDED and inventory:
            words = f"the inventory says {inventory}"
        note = Text(f"the inventory says {inventory}", STYLES["warn"]) if differs else Text()
        table.add_row(Text(names(members)), Text(words), note)
    console.print(Padding(table, (0, 0, 0, 2)))


def show_lifecycle(life: NodeLifecycle, now: datetime, stream: TextIO) -> None:
    """All of one node's life."""
    with screen_on(stream) as console:
        title = Text.assemble((life.node_id, "bold"), f"  {life.state.value}: {STATES[life.state].words}")
        if life.simulated:
            title.append(f"  {SIMULATED}", style="bold cyan")
        console.print(title)
        table = _grid()
        for name, value in _about(life, now):
            table.add_row(Text(name, "dim"), Text(value))
        console.print(Padding(table, (0, 0, 0, 2)))
        if life.differs:
            words = (
                f"The inventory says {life.inventory}; the ledger is right: correct the inventory, or move the node."
            )
            console.print(Text(words, STYLES["warn"]))
        for trouble in life.troubles:
            console.print(Text(trouble, STYLES["fail"]))
        _show_moves(console, life)
        _show_next(console, life)


def _about(life: NodeLifecycle, now: datetime) -> list[tuple[str, str]]:
    since = f"{to_minute(life.since)}, {_age(now - life.since)}, by {life.by}" if life.since else "no move of it"
    serial = life.enrolled or "none enrolled"
    if life.observed:
        serial += ", which the machine says too" if life.observed == life.enrolled else f"; it says {life.observed}"
    rows = [("since", since), ("serial", serial)]
    if life.partner and life.partner_state:
        rows.append(("unit", f"{life.unit}, with {life.partner}, which is {life.partner_state.value}"))
    return rows


def _show_moves(console: Console, life: NodeLifecycle) -> None:
    console.print()
    console.print(Text(count(len(life.moves), "move"), style="bold"))
    table = _grid()
    for move in life.moves:
        words = Text.assemble(f"{move.left} → ", (move.entered, "bold"), f"  {move.reason}")
        table.add_row(Text(to_minute(move.at)), Text(move.by), words)
    console.print(Padding(table, (0, 0, 0, 2)))


def _show_next(console: Console, life: NodeLifecycle) -> None:
    console.print()
    console.print(Text("Next moves" if life.next_moves else "No move leads from here", style="bold"))
    for move in life.next_moves:
        console.print(Padding(_headline(move), (0, 0, 0, 2)))
        table = _grid()
        for need in move.needs:
            if need.held is None:
                table.add_row(Text("missing", STYLES["warn"]), Text(need.kind), Text(f"{need.words}\n→ {need.how}"))
            else:
                held = f"{need.held.name}, {to_minute(need.held.at)} by {need.held.by}, sha256 {need.held.sha256[:12]}"
                table.add_row(Text("there", STYLES["pass"]), Text(need.kind), Text(held))
        if table.rows:
            console.print(Padding(table, (0, 0, 0, 4)))


def _headline(move: NextMove) -> Text:
    notes = ["two persons"] if move.risk is Risk.TWO_PERSONS else []
    if move.unit is not UnitRule.ALONE:
        notes.append("the unit as a whole" if move.unit is UnitRule.TOGETHER else "not while in a unit")
    line = Text.assemble((move.to.value, "bold"), f"  {move.phase.value}", *(f", {note}" for note in notes))
    if move.blocked:
        line.append(f"  blocked: {move.blocked}", style=STYLES["fail"])
    elif move.waits_for:
        line.append(f"  waits for {', '.join(move.waits_for)}", style=STYLES["warn"])
    else:
        line.append("  ready", style=STYLES["pass"])
    return line


def _age(age: timedelta) -> str:
    hours = max(int(age.total_seconds()) // 3600, 0)
    return f"{hours // 24:,} d" if hours >= 48 else f"{hours} h" if hours else "less than an hour"


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    for ratio in (None, None, 1):
        table.add_column(ratio=ratio, overflow="fold")
    return table
