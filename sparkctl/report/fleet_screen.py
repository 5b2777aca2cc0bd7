"""The report of a fleet on a screen: once, whole."""

from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.fleet_page import AgeOf, Distribution, FleetPage, FoldedChange, RunGoingOn
from sparkctl.model.node_page import PageEnd
from sparkctl.report import fleet_words
from sparkctl.report.fleet_words import LANES, SIGNS, TITLES, Group
from sparkctl.report.screen import STYLES, screen_on, table
from sparkctl.report.words import count, names

SHORT = 10
"""Lines of one kind that are printed; the page for a browser has all."""
_LOOKS = {kind: look for kind, _, look in LANES}


def show_page(page: FleetPage, stream: TextIO) -> None:
    """Print the report."""
    with screen_on(stream) as console:
        console.print(title_of(page))
        console.print(totals_of(page))
        if page.alerts:
            verb = "is" if len(page.alerts) == 1 else "are"
            console.print(Text(f"{count(len(page.alerts), 'alert')} {verb} not over: sparkctl alerts list"))
        for status, groups in fleet_words.groups(page.hands):
            _show_groups(console, TITLES[status], SIGNS[status].look, groups)
        watch = [group for _, found in fleet_words.groups(page.watch) for group in found]
        _show_groups(console, "Watch", "warn", watch[:SHORT])
        _left(console, len(watch) - SHORT)
        _show_coverage(console, page)
        _show_lines(console, f"Changed since {fleet_words.moment(page.since)} UTC", _changes(page))
        _show_lines(console, f"Resets since {fleet_words.moment(page.since)} UTC", [*map(_end_line, page.ends)])
        if told := [_version_row(one) for one in page.versions if any(each.value for each in one.values)]:
            _heading(console, "Versions")
            _grid(console, told)
        _heading(console, "Ages")
        _grid(console, (_age_row(page, one) for one in page.ages if one.newest is not None))
        console.print()
        console.print(Text(f"exit {page.exit_code} {page.exit_name}", "dim"))


def title_of(page: FleetPage) -> Text:
    """What is reported on, as of when, and whether it is real."""
    line = Text.assemble(("sparkctl report", "bold"), f"  {page.selector}  ")
    line.append(f"as stored at {page.made_at:%Y-%m-%d %H:%M:%S} UTC", "dim")
    if said := fleet_words.simulated(page):
        line.append(f"  {said}", "bold cyan")
    return line


def totals_of(page: FleetPage) -> Text:
    """Everybody, in one line."""
    shown = [Text(words, STYLES[SIGNS[status].look]) for status, _, words in fleet_words.totals(page)]
    return Text.assemble((f"{count(page.coverage.selected, 'node')}: ", "bold"), Text(", ").join(shown))


def coverage_of(page: FleetPage) -> Text:
    """Who answered, and how old the oldest judgement is."""
    seen = page.coverage
    words = (
        f"{seen.selected:,} selected = {seen.reported:,} answered at their newest visit + {seen.unreported:,} did not"
    )
    if seen.completeness is not None:
        words += f"; {seen.completeness:.1%} of the checks that apply were evaluated"
    if seen.oldest is not None:
        words += f"; the oldest judgement is {fleet_words.age(page.made_at, seen.oldest.at)} old ({seen.oldest.node})"
    return Text(words)


def running_line(page: FleetPage, run: RunGoingOn) -> Text:
    """A run that goes on: how far it is, and who is not stored yet."""
    began = fleet_words.age(page.made_at, run.started_at)
    line = Text.assemble((f"{run.kind} of {run.selector} goes on", "bold cyan"))
    line.append(f" since {began}: {run.recorded:,} of {run.selected:,} stored")
    return line.append(f"; not yet: {fleet_words.folded(run.waiting, 120)}") if run.waiting else line


def _show_groups(console: Console, title: str, look: str, groups: Iterable[Group]) -> None:
    groups = list(groups)
    if not groups:
        return
    rows = table(console, title, look)
    for group in groups:
        lines = []
        for one in group.hands:
            line = Text.assemble((one.title, STYLES[look]), "  ")
            if len(one.nodes) > 1:
                line.append(f"{one.example_node}: ", style="dim")
            lines.append(line.append(one.example))
        lines += [Text.assemble(("→ ", "bold"), action) for action in group.actions]
        rows.add_row(Text(names(group.nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(rows, (0, 0, 0, 2)))


def _show_coverage(console: Console, page: FleetPage) -> None:
    _heading(console, "What this rests on")
    console.print(Padding(coverage_of(page), (0, 0, 0, 2)))
    for run in page.coverage.running:
        console.print(Padding(running_line(page, run), (0, 0, 0, 2)))
    _grid(
        console,
        (
            (
                Text(names(one.nodes), "bold"),
                Text(f"{one.stage.value}: {one.cause.value}".replace("_", " "), STYLES["lost"]),
            )
            for one in page.coverage.failures
        ),
    )
    if page.coverage.never_visited:
        _grid(console, [(Text(names(page.coverage.never_visited), "bold"), Text("never visited", STYLES["lost"]))])
    _grid(
        console,
        (
            (
                Text(names(one.nodes), "bold"),
                Text.assemble((one.check, STYLES["unknown"]), f"  {one.example} ({one.reason})"),
            )
            for one in page.coverage.required_unevaluated
        ),
    )


def _show_lines(console: Console, title: str, rows: Sequence[tuple[Text, Text]]) -> None:
    if rows:
        _heading(console, title)
        _grid(console, rows[:SHORT])
        _left(console, len(rows) - SHORT)


def _left(console: Console, more: int) -> None:
    if more > 0:
        console.print(Padding(Text(f"and {more:,} more: sparkctl report --html FILE", "dim"), (0, 0, 0, 2)))


def _changes(page: FleetPage) -> list[tuple[Text, Text]]:
    """A row for each set of nodes that changed together."""
    rows = []
    for nodes, since, _, found in fleet_words.together(page.changes):
        lines = [_change_line(one) for one in found[:SHORT]]
        lines += [Text(f"and {len(found) - SHORT:,} more", "dim")] if len(found) > SHORT else []
        lines[0].append(f"  since {fleet_words.moment(since)}", "dim")
        rows.append((Text(fleet_words.folded(nodes), "bold"), Text("\n").join(lines)))
    return rows


def _change_line(one: FoldedChange) -> Text:
    line = Text(one.name)
    if one.more and one.kind == "fact":
        return line.append(f"  {one.more:,} more fields", "dim")
    return line.append(f"  {one.before or 'nothing'} → ").append(one.after or "nothing", "bold")


def _end_line(one: PageEnd) -> tuple[Text, Text]:
    line = Text(one.words, STYLES[_LOOKS[one.kind]])
    return Text(one.node, "bold"), line.append(f"  {fleet_words.between(one)}", "dim")


def _version_row(one: Distribution) -> tuple[Text, Text]:
    line = Text()
    for at, value in enumerate(one.values):
        line.append(", " if at else "")
        line.append(value.value or value.why or "", "" if value.value else STYLES["unknown"])
        line.append(f" ×{len(value.nodes):,}", "dim")
    return Text(one.title), line


def _age_row(page: FleetPage, one: AgeOf) -> tuple[Text, Text]:
    ages = (fleet_words.age(page.made_at, at) for at in (one.newest, one.middle, one.oldest))
    line = Text("newest {}, middle {}, oldest {}".format(*ages))
    line.append(f" ({one.oldest_node})", "dim")
    return Text(one.what), line.append(f", never {one.never:,}", STYLES["unknown"]) if one.never else line


def _heading(console: Console, words: str) -> None:
    console.print()
    console.print(Text(words, "bold"))


def _grid(console: Console, rows: Iterable[tuple[Text, Text]]) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=10, max_width=30, overflow="fold")
    grid.add_column(ratio=1, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    if grid.rows:
        console.print(Padding(grid, (0, 0, 0, 2)))
