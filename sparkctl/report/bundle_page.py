"""The page of a bundle on a screen."""

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.bundle_page import BundlePage
from sparkctl.model.health import Finding
from sparkctl.model.reset import Transition
from sparkctl.model.reset_report import kind_of
from sparkctl.model.reset_words import ANY
from sparkctl.report import bundle_words
from sparkctl.report.reset import TITLES as ENDS
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import count, size

SHORT = 12  # missing things of one reason that are named without `verbose`
Row = tuple[Text, ...]


def show_page(page: BundlePage, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the page; `verbose` names all that is missing, and quotes why."""
    with screen_on(stream) as console:
        _show_head(console, page)
        _show_health(console, page)
        _show_ends(console, page)
        if page.facts:
            _heading(console, "What it is")
            _grid(console, ((Text(one.name, "dim"), Text(one.value)) for one in page.facts))
        _show_contents(console, page)
        _show_missing(console, page, verbose=verbose)
        _show_redaction(console, page)
        if page.unread:
            _heading(console, "Not read", "unknown")
            _grid(console, ((Text(one.name), Text(one.words, STYLES["unknown"])) for one in page.unread))


def _show_head(console: Console, page: BundlePage) -> None:
    title = Text.assemble(("sparkctl bundle show", "bold"), "  ", (page.about.node, "bold"))
    if origin := bundle_words.origin(page):
        title.append(f"  {origin}", style="bold cyan")
    console.print(title)
    look = "pass" if page.vouching == "signed" else "warn"
    for line in (
        Text(page.file),
        Text(bundle_words.vouched(page), STYLES[look]),
        Text(f"collected {bundle_words.collected(page)}"),
        Text(bundle_words.contents(page)),
        *([Text(f"redacted again for {page.about.disclosed_to}")] if page.about.disclosed_to else []),
    ):
        console.print(Padding(line, (0, 0, 0, 2)))


def _show_health(console: Console, page: BundlePage) -> None:
    _heading(console, "How it was")
    console.print(Padding(Text(bundle_words.judged(page)), (0, 0, 0, 2)))
    for status, title in bundle_words.TITLES.items():
        found = [one for one in page.findings or () if one.status is status]
        if found:
            console.print(Padding(Text(title, STYLES[status.value]), (0, 0, 0, 2)))
            _grid(console, (_finding_row(one) for one in found), 4)


def _finding_row(finding: Finding) -> Row:
    words = Text(finding.summary)
    if finding.reason is not None:
        words.append(f" ({finding.reason.value})", style="dim")
    if finding.action:
        words.append("\n→ ", style="bold").append(finding.action)
    return Text(finding.check, STYLES[finding.status.value]), Text(bundle_words.value_of(finding)), words


def _show_ends(console: Console, page: BundlePage) -> None:
    _heading(console, "How its boots ended")
    if not page.transitions:
        words = "the bundle does not say" if page.transitions is None else "no end of a boot is recorded"
        console.print(Padding(Text(words, "dim"), (0, 0, 0, 2)))
        return
    newest, *older = page.transitions
    _show_end(console, newest)
    if older:
        _grid(console, ((Text(f"{one.index}", "dim"), _end_line(one)) for one in older))


def _end_line(end: Transition) -> Text:
    return Text(end.flat.words, STYLES[ENDS[kind_of(end.claims, end.flat.expected)][2]])


def _show_end(console: Console, end: Transition) -> None:
    console.print(Padding(_end_line(end), (0, 0, 0, 2)))
    console.print(Padding(Text(bundle_words.meaning(end)), (0, 0, 0, 4)))
    _grid(console, (_claim_row(*claim) for claim in bundle_words.claims(end)), 4)
    for one in end.antecedents:
        console.print(Padding(Text.assemble(("before: ", "dim"), one.summary), (0, 0, 0, 4)))
    if end.would_decide:
        console.print(Padding(Text("Would have decided it", "bold"), (0, 0, 0, 4)))
        _grid(console, ((Text("→", "bold"), Text(one)) for one in end.would_decide), 6)


def _claim_row(axis: str, claim: str, founded: str) -> Row:
    return Text(axis, "dim"), Text(claim, STYLES["unknown"] if claim == ANY else "bold"), Text(founded, "dim")


def _show_contents(console: Console, page: BundlePage) -> None:
    _heading(console, "What is in it")
    _grid(
        console,
        ((Text(one.name), Text(count_of(one.entries), "dim"), Text(size(one.bytes), "dim")) for one in page.groups),
    )
    if page.not_whole:
        _heading(console, "Not whole", "unknown")
        _grid(console, ((Text(one.path), Text(one.status.value, "dim"), Text(one.words)) for one in page.not_whole))
    if page.withheld:
        _heading(console, "Withheld: it could not be redacted", "warn")
        _grid(console, ((Text(one.artefact), Text(one.reason, "dim"), Text(one.words)) for one in page.withheld))


def count_of(entries: int) -> str:
    """A number of entries."""
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}"


def _show_missing(console: Console, page: BundlePage, *, verbose: bool) -> None:
    if not page.missing:
        return
    _heading(console, f"Not collected: {len(page.missing):,}", "unknown")
    for lost in bundle_words.lost(page.missing):
        reason = Text(bundle_words.reason_of(lost.reason), STYLES["unknown"])
        if verbose:
            console.print(Padding(reason, (0, 0, 0, 2)))
            _grid(console, ((Text(one.name), Text(one.words, "dim")) for one in lost.found), 4)
            continue
        named = ", ".join(one.name for one in lost.found[:SHORT])
        more = len(lost.found) - SHORT
        words = Text(named + (f" and {more:,} more" if more > 0 else ""))
        _grid(console, [(reason, Text(f"{len(lost.found):,}", "dim"), words)])
    if not verbose:
        console.print(Padding(Text("-v says of each why", "dim"), (0, 0, 0, 2)))


def _show_redaction(console: Console, page: BundlePage) -> None:
    if not page.replaced:
        return
    total = sum(one.count for one in page.replaced)
    _heading(console, f"Replaced before it was sealed: {total:,} values by {count(len(page.replaced), 'rule')}")
    words = ", ".join(f"{one.rule} {one.count:,}" for one in page.replaced)
    console.print(Padding(Text(words), (0, 0, 0, 2)))


def _heading(console: Console, words: str, look: str | None = None) -> None:
    console.print()
    console.print(Text(words, STYLES[look] if look else "bold"))


def _grid(console: Console, rows: Iterable[Row], indent: int = 2) -> None:
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        if not grid.columns:
            for _ in row[:-1]:
                grid.add_column(overflow="fold", max_width=44)
            grid.add_column(ratio=1, overflow="fold")
        grid.add_row(*row)
    console.print(Padding(grid, (0, 0, 0, indent)))
