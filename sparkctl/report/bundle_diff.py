"""What is otherwise between two bundles, on a screen."""

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.bundle_diff import (
    ArtefactChange,
    ArtefactEvent,
    BundleDiff,
    FactChange,
    FindingChange,
    Judgement,
    ProgramChange,
    Side,
)
from sparkctl.model.facets.difference import Kind
from sparkctl.model.reset import Transition
from sparkctl.model.reset_report import kind_of
from sparkctl.report.bundle_words import NOT_VOUCHED, meaning, with_unit
from sparkctl.report.reset import TITLES
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, brief, count

UNCHANGED = "nothing that matters has changed"
NAMES = "names cannot be compared across bundles: each has its own stand-ins"
SHORT = 12  # characters of a digest that tell programs apart
Row = tuple[Text, ...]
_EVENTS = {
    ArtefactEvent.NEW: ("new", "pass"),
    ArtefactEvent.GONE: ("gone", "warn"),
    ArtefactEvent.MISSING: ("missing now", "unknown"),
    ArtefactEvent.CUT: ("cut now", "unknown"),
    ArtefactEvent.WHOLE: ("whole now", "pass"),
}


def show_diff(diff: BundleDiff, stream: TextIO) -> None:
    """Print what is otherwise, what could not be compared, and how both are vouched for."""
    with screen_on(stream) as console:
        simulated = f"  {SIMULATED}" if diff.old.simulated or diff.new.simulated else ""
        console.print(Text.assemble(("sparkctl bundle diff", "bold"), (simulated, "bold cyan")))
        _grid(console, (_side_row("old", diff.old), _side_row("new", diff.new)))
        if diff.new.collected_at < diff.old.collected_at:
            console.print(Padding(Text("the new one was collected before the old one", STYLES["warn"]), (0, 0, 0, 2)))
        _part(console, "Findings", map(_finding_row, diff.findings))
        _part(console, "Ended since", map(_end_row, diff.ends))
        if not diff.ends_told:
            words = "the newest end of the old one is not among these: there may have been more"
            console.print(Padding(Text(words, STYLES["unknown"]), (0, 0, 0, 2)))
        _part(console, "Facts", map(_fact_row, diff.facts))
        _part(console, "Artefacts", map(_artefact_row, diff.artefacts))
        _part(console, "Programs: what is otherwise may come from these", map(_program_row, diff.programs))
        _part(console, "Not compared", ((Text(words, STYLES["unknown"]),) for words in diff.uncompared))
        console.print()
        console.print(_last_line(diff))
        if diff.passing:
            console.print(Text(f"changes with use, and is not counted: {', '.join(diff.passing)}", "dim"))
        console.print(Text(NAMES, "dim"))


def _side_row(name: str, side: Side) -> Row:
    words = Text.assemble((side.node, "bold"), f"  {side.collected_at:%Y-%m-%d %H:%M:%S} UTC  {side.file}")
    if side.signed_by:
        words.append(f"\nsigned by {side.signed_by}", style=STYLES["pass"])
    else:
        words.append(f"\n{NOT_VOUCHED[side.vouching]}", style=STYLES["warn"])
    return Text(name, "dim"), words


def _last_line(diff: BundleDiff) -> Text:
    if diff.changes:
        return Text(count(diff.changes, "change"), "bold")
    if diff.uncompared:
        return Text("nothing has changed as far as could be compared", STYLES["unknown"])
    return Text(UNCHANGED, STYLES["pass"])


def _finding_row(one: FindingChange) -> Row:
    words = Text(_judgement(one.before)).append(" → ", style="bold").append(_judgement(one.after))
    said = one.after or one.before
    if said is None:
        return Text(one.check), words
    return Text(one.check, STYLES.get(said.status.value, "")), words.append(f"\n{said.summary}", style="dim")


def _judgement(one: Judgement | None) -> str:
    if one is None:
        return "not made"
    words = one.status.value.replace("_", " ")
    if one.reason is not None:
        words += f" ({one.reason.value})"
    if one.value is None:
        return words
    return f"{words} {with_unit(brief(one.value), one.unit)}"


def _end_row(end: Transition) -> Row:
    words = Text(end.flat.words, STYLES[TITLES[kind_of(end.claims, end.flat.expected)][2]])
    return Text(f"{end.index}", "dim"), words.append(f"\n{meaning(end)}", style="dim")


def _fact_row(one: FactChange) -> Row:
    words = {
        Kind.CHANGED: f"{brief(one.before)} → {brief(one.after)}",
        Kind.APPEARED: f"new: {brief(one.after)}",
        Kind.DISAPPEARED: f"gone: {brief(one.before)}",
        Kind.UNREADABLE: f"could not be read: {one.after}",
        Kind.READABLE: "can be read again",
    }
    look = "unknown" if one.kind in (Kind.UNREADABLE, Kind.READABLE) else "warn"
    return Text(f"{one.facet}.{one.field}" if one.field else one.facet, STYLES[look]), Text(words[one.kind])


def _artefact_row(one: ArtefactChange) -> Row:
    words, look = _EVENTS[one.event]
    return Text(one.path), Text(words, STYLES[look]), Text(one.words or "", "dim")


def _program_row(one: ProgramChange) -> Row:
    return Text(one.what, "dim"), Text(f"{_short(one.before)} → {_short(one.after)}")


def _short(words: str | None) -> str:
    """Words whose digests are cut."""
    return " ".join(each[:SHORT] if len(each) == 64 else each for each in (words or "none").split())


def _part(console: Console, title: str, rows: Iterable[Row]) -> None:
    shown = list(rows)
    if shown:
        console.print()
        console.print(Text(title, "bold"))
        _grid(console, shown)


def _grid(console: Console, rows: Iterable[Row]) -> None:
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        if not grid.columns:
            for _ in row[:-1]:
                grid.add_column(overflow="fold", max_width=60)
            grid.add_column(ratio=1, overflow="fold")
        grid.add_row(*row)
    console.print(Padding(grid, (0, 0, 0, 2)))
