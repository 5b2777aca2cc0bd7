"""A delivery on the screen: what agrees, what needs a person, and what was entered."""

from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.lifecycle.match_group import NO_PERSON, SEVERITY
from sparkctl.model.receiving import MatchClass, MatchedUnit, ReceivingReport, Recorded
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, count, names

MOST_SHOWN = 20
"""Units of one class that are shown each; the JSON has all."""


def show_match(report: ReceivingReport, stream: TextIO) -> None:
    """What there was, how many of each class, and each unit that needs a person."""
    with screen_on(stream) as console:
        _show_match(console, report)


def _show_match(console: Console, report: ReceivingReport) -> None:
    inputs = report.inputs
    title = Text(
        f"{inputs.ordered:,} ordered on {count(inputs.order_lines, 'line')}, {inputs.noticed:,} announced, "
        f"{inputs.scanned:,} scanned, {inputs.observed:,} observed",
        "bold",
    )
    if report.simulated:
        title.append(f"  {SIMULATED}", style="bold cyan")
    console.print(title)
    if inputs.left_out:
        console.print(Text(f"{count(inputs.left_out, 'node')} observed besides: taken in before, and in no paper here"))
    table = _grid()
    for name in MatchClass:
        if number := report.classes.get(name, 0):
            look = STYLES["warn"] if name not in NO_PERSON else STYLES["pass"] if name is MatchClass.MATCHED else ""
            table.add_row(Text(f"{number:,}"), Text(name.value, look), Text(_names(report, name)))
    console.print(Padding(table, (0, 0, 0, 2)))
    for name in sorted(MatchClass, key=lambda each: -SEVERITY[each]):
        if name not in NO_PERSON:
            _show_class(console, name, [unit for unit in report.units if unit.match_class is name])
    if report.needs_person:
        console.print(Text(f"{report.needs_person:,} need a person", STYLES["fail"]))


def _names(report: ReceivingReport, name: MatchClass) -> str:
    nodes = [unit.node_id for unit in report.units if unit.match_class is name and unit.node_id]
    return names(nodes) if name in NO_PERSON else ""


def _show_class(console: Console, name: MatchClass, units: list[MatchedUnit]) -> None:
    if not units:
        return
    console.print()
    console.print(Text(name.value, "bold"))
    table = _grid()
    for unit in units[:MOST_SHOWN]:
        who = " ".join(part for part in (unit.serial, unit.node_id and f"({unit.node_id})") if part) or "no serial"
        if unit.match_class is MatchClass.SHORT:
            who = f"{unit.count:,} × {unit.part_number}"
        at = [place for place in (unit.order, unit.notice, unit.scan, unit.observed) if place]
        table.add_row(Text(who), Text("; ".join(unit.reasons)), Text(", ".join(at), "dim"))
    console.print(Padding(table, (0, 0, 0, 2)))
    if len(units) > MOST_SHOWN:
        console.print(Text(f"  and {len(units) - MOST_SHOWN:,} more: --format json has all of them"))


def show_recorded(recorded: Recorded, stream: TextIO) -> None:
    """The match, and what was entered of it."""
    with screen_on(stream) as console:
        _show_match(console, recorded.report)
        console.print()
        table = _grid()
        for title, words in _entered(recorded):
            table.add_row(Text(title, "dim"), Text(words))
        console.print(table)


def _entered(recorded: Recorded) -> list[tuple[str, str]]:
    groups = (("received", recorded.received), ("matched", recorded.matched), ("quarantined", recorded.quarantined))
    rows = [(title, names(nodes)) for title, nodes in groups if nodes]
    rows += [("left alone", f"{node}: {why}") for node, why in recorded.left_alone.items()]
    if recorded.without_node:
        shown = ", ".join(recorded.without_node[:8]) + (", …" if len(recorded.without_node) > 8 else "")
        rows.append(("no node", f"{shown}: enrol the serial in the inventory, then record again"))
    if recorded.file is None:
        return [*rows, ("record", "nothing was to be entered, and nothing was written")]
    rows.append(("record", f"{recorded.file}, sha256 {recorded.sha256}"))
    return [*rows, ("ledger", f"entries {recorded.entries[0]} to {recorded.entries[-1]}")]


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    for ratio in (None, None, 1):
        table.add_column(ratio=ratio, overflow="fold")
    return table
