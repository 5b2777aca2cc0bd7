"""The past of a node: its visits, and every change of status."""

from typing import TextIO

from pydantic import TypeAdapter
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.vocabulary import Origin
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED
from sparkctl.store.entries import HistoryEntry, StatusChange

TIME = "%Y-%m-%d %H:%M:%SZ"


def show_past(node_id: str, visits: list[HistoryEntry], changes: list[StatusChange], stream: TextIO) -> None:
    """Print visits, newest first, then changes, oldest first."""
    with screen_on(stream) as console:
        _show_past(console, node_id, visits, changes)


def _show_past(console: Console, node_id: str, visits: list[HistoryEntry], changes: list[StatusChange]) -> None:
    title = Text.assemble((node_id, "bold"), f"  {len(visits)} visits")
    if any(visit.origin is Origin.SIMULATED for visit in visits):
        title.append(f"  {SIMULATED}", style="bold cyan")
    console.print(title)
    table = _grid()
    for visit in visits:
        table.add_row(visit.ts.strftime(TIME), *_words_of(visit))
    console.print(Padding(table, (0, 0, 1, 2)))
    console.print(Text("Changes", style="bold"))
    if not changes:
        console.print(Padding(Text("none: every report so far says the same"), (0, 0, 0, 2)))
        return
    table = _grid()
    for change in changes:
        status = Text.assemble(
            change.previous.value, " → ", (change.current.value, STYLES.get(change.current.value, ""))
        )
        table.add_row(change.at.strftime(TIME), Text(change.check), Text.assemble(status, "  ", change.summary))
    console.print(Padding(table, (0, 0, 0, 2)))


def write_past(visits: list[HistoryEntry], changes: list[StatusChange], stream: TextIO) -> None:
    """Print the past as JSON lines, each `{"visit": ...}` or `{"change": ...}`."""
    for visit in visits:
        stream.write('{"visit":' + TypeAdapter(HistoryEntry).dump_json(visit).decode() + "}\n")
    for change in changes:
        stream.write('{"change":' + TypeAdapter(StatusChange).dump_json(change).decode() + "}\n")


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    for ratio in (None, None, 1):
        table.add_column(ratio=ratio, overflow="fold")
    return table


def _words_of(visit: HistoryEntry) -> tuple[Text, Text]:
    if visit.cause is not None and visit.stage is not None:
        return Text("not heard from", STYLES["lost"]), Text(f"{visit.stage.value}.{visit.cause.value}")
    worst = visit.worst.value if visit.worst else "none"
    named = [*(f"{check} failed" for check in visit.failed), *(f"{check} warned" for check in visit.warned)]
    evaluated = f"{visit.completeness:.1%} evaluated" if visit.completeness is not None else ""
    return Text(worst, STYLES.get(worst, "")), Text("; ".join([evaluated, *named]))
