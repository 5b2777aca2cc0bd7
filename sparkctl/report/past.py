"""The past of a node: its visits, and every change of status."""

from typing import TextIO

from pydantic import TypeAdapter
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.outcome import NOTABLE
from sparkctl.model.run import RunRecord
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, count, to_second
from sparkctl.store.entries import HistoryEntry, Past, StatusChange


def show_past(past: Past, stream: TextIO) -> None:
    """Print what the newest visit brought, then visits, newest first, then changes, oldest first."""
    with screen_on(stream) as console:
        _show_newest(console, past.newest)
        console.print(Text(count(len(past.visits), "visit"), style="bold"))
        table = _grid()
        for visit in past.visits:
            table.add_row(to_second(visit.ts), *_words_of(visit))
        console.print(Padding(table, (0, 0, 1, 2)))
        console.print(Text(count(len(past.changes), "change"), style="bold"))
        table = _grid()
        for change in past.changes:
            current = (change.current.value, STYLES.get(change.current.value, ""))
            words = Text.assemble(change.previous.value, " → ", current, "  ", change.summary)
            table.add_row(to_second(change.at), Text(change.check), words)
        console.print(Padding(table, (0, 0, 0, 2)))


def _show_newest(console: Console, newest: RunRecord) -> None:
    title = Text.assemble((newest.node_id, "bold"), f"  last visited {to_second(newest.ts)}")
    if newest.simulated:
        title.append(f"  {SIMULATED}", style="bold cyan")
    console.print(title)
    if newest.failure is not None:
        words = Text.assemble(("no report  ", STYLES["lost"]), newest.failure.message)
        console.print(Padding(words, (0, 0, 1, 2)))
        return
    table = _grid()
    data = newest.envelope.data if isinstance(newest.envelope, HealthEnvelope) else None
    for finding in data.findings if data else ():
        if finding.status in NOTABLE:
            look = STYLES[finding.status.value]
            table.add_row(Text(finding.status.value, look), Text(finding.check), Text(finding.summary))
    console.print(Padding(table if table.rows else Text("every check that applies passed"), (0, 0, 1, 2)))


def write_past(past: Past, stream: TextIO) -> None:
    """Print the past as JSON lines, each `{"visit": ...}` or `{"change": ...}`."""
    for visit in past.visits:
        stream.write('{"visit":' + TypeAdapter(HistoryEntry).dump_json(visit).decode() + "}\n")
    for change in past.changes:
        stream.write('{"change":' + TypeAdapter(StatusChange).dump_json(change).decode() + "}\n")


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    for ratio in (None, None, 1):
        table.add_column(ratio=ratio, overflow="fold")
    return table


def _words_of(visit: HistoryEntry) -> tuple[Text, Text]:
    if visit.cause is not None and visit.stage is not None:
        return Text("no report", STYLES["lost"]), Text(f"{visit.stage.value}.{visit.cause.value}")
    worst = visit.worst.value if visit.worst else "none"
    named = [*(f"{check} failed" for check in visit.failed), *(f"{check} warned" for check in visit.warned)]
    evaluated = f"{visit.completeness:.1%} evaluated" if visit.completeness is not None else ""
    return Text(worst, STYLES.get(worst, "")), Text("; ".join([evaluated, *named]))
