"""Drift as an operator reads it: which field, from what to what, on which nodes, since when."""

from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.baseline import Clone, Drift, DriftReport, Unread
from sparkctl.model.facets.difference import Kind
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import brief, count, names, to_minute

DAY = "%Y-%m-%d"
_ADVICE = "→ sparkctl collect"
SHOWN = 25  # lines for one set of nodes, so that one node cannot bury the others
_LOOK = {Kind.CHANGED: "fail", Kind.APPEARED: "warn", Kind.DISAPPEARED: "fail"}


def show_drift(report: DriftReport, stream: TextIO) -> None:
    """Print the report."""
    with screen_on(stream) as console:
        console.print(Text.assemble(("sparkctl drift", "bold"), f"  {report.selector}  against {report.baseline}"))
        if report.signed_by:
            console.print(Text(f"signed by {report.signed_by}", style="dim"))
        console.print(_totals(report))
        _show(console, "Drifted", "fail", [(one.nodes, _drift_line(one)) for one in report.drift])
        _show(console, "Clones: values that should be one machine's alone", "fail", [*map(_clone_row, report.clones)])
        _show(console, "Expected, but could not be read", "unknown", [*map(_unread_row, report.unread)])
        if report.uncollected:
            rows = [(report.uncollected, Text(_ADVICE, "bold"))]
            _show(console, "A facet of the baseline was never collected", "lost", rows)
        if report.stale:
            _show(console, "Not compared: the facts are stale", "unknown", [(report.stale, Text(_ADVICE, "bold"))])
        console.print()
        last = f"exit {report.exit_code} {report.exit_name}"
        if report.oldest is not None:
            last += f"   the oldest facts are of {to_minute(report.oldest)}"
        console.print(Text(last, style="dim"))


def _totals(report: DriftReport) -> Text:
    drifted = {node for one in report.drift for node in one.nodes}
    cloned = {node for one in report.clones for node in one.nodes} & set(report.nodes) - drifted
    uncollected = set(report.uncollected) - drifted - cloned
    stale = set(report.stale) - drifted - cloned - uncollected
    unread = {node for one in report.unread for node in one.nodes} - drifted - cloned - uncollected - stale
    parts = [
        (len(drifted), "drifted", "fail"),
        (len(cloned), "cloned", "fail"),
        (len(unread), "not fully read", "unknown"),
        (len(uncollected), "not fully collected", "lost"),
        (len(stale), "stale", "unknown"),
        (report.selected - len(drifted | cloned | unread | uncollected | stale), "as expected", "pass"),
    ]
    shown = [Text(f"{number:,} {words}", style=STYLES[look]) for number, words, look in parts if number > 0]
    return Text.assemble((f"{count(report.selected, 'node')}: ", "bold"), Text(", ").join(shown))


def _drift_line(one: Drift) -> Text:
    line = Text.assemble((f"{one.facet}.{one.field}", STYLES[_LOOK[one.kind]]), "  ")
    if one.kind is Kind.CHANGED:
        line.append(f"{brief(one.expected)} → {brief(one.observed)}")
    elif one.kind is Kind.APPEARED:
        line.append(f"not expected: {brief(one.observed)}")
    else:
        line.append(f"gone: {brief(one.expected)}")
    first, last = one.since.strftime(DAY), one.until.strftime(DAY)
    line.append(f"  since {first}" if first == last else f"  since {first} to {last}", style="dim")
    return line


def _clone_row(one: Clone) -> tuple[list[str], Text]:
    return one.nodes, Text.assemble((one.field, STYLES["fail"]), f"  {one.value}")


def _unread_row(one: Unread) -> tuple[list[str], Text]:
    return one.nodes, Text.assemble((f"{one.facet}.{one.field}", STYLES["unknown"]), f"  {one.reason}")


def _show(console: Console, title: str, look: str, rows: list[tuple[list[str], Text]]) -> None:
    """One row for each set of nodes, with all that is to be said of it."""
    if not rows:
        return
    console.print()
    console.print(Text(title, style=STYLES[look]))
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=10, max_width=30, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    grouped: dict[tuple[str, ...], list[Text]] = {}
    for nodes, line in rows:
        grouped.setdefault(tuple(nodes), []).append(line)
    for folded, said in grouped.items():
        more = [Text(f"… and {len(said) - SHOWN:,} more; --format jsonl has all", "dim")] if len(said) > SHOWN else []
        lines = [*said[:SHOWN], *more]
        table.add_row(Text(names(folded), "bold"), Text("\n").join(lines))
    console.print(Padding(table, (0, 0, 0, 2)))
