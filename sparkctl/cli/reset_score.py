"""`sparkctl reset-reason score`: how often the claims on labelled resets are true."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from sparkctl.cli.options import with_format

if TYPE_CHECKING:
    from rich.table import Table

    from sparkctl.model.reset_score import AxisScore, CaseScore, Figures, FlatWrong, ResetScore

GROUPS = {"text": "Published lines", "tree": "Trees", "earlier": "Earlier ends in trees"}


@click.command(short_help="Hold claims against a folder of labelled cases.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@with_format
@click.option("-v", "--verbose", is_flag=True, help="Name silent cases, and assertions that no label can check, too.")
def score(folder: Path, form: str, verbose: bool) -> None:
    """Run every labelled case in DIR, or in its folders, and say which claims are true.

    A case is a folder with case.json (its label) and evidence.txt or root/, or NAME.tar.zst of one. The exit code is 1
    when a claim is wrong, a truth is excluded, or a case gives no document.

    Example: sparkctl reset-reason score cases/
    """
    from sparkctl.app.reset_score import score_folder

    card = score_folder(folder)
    if form == "human":
        show_score(card, sys.stdout, verbose=verbose)
    else:
        click.echo(card.model_dump_json())
    sys.exit(card.exit_code)


def show_score(card: "ResetScore", stream: TextIO, *, verbose: bool = False) -> None:
    """Print a scorecard: the figures of each group, then every case that is wrong, lost or failed, by name."""
    from rich.text import Text

    from sparkctl.report.screen import STYLES, screen_on

    with screen_on(stream) as console:
        console.print(Text.assemble(("sparkctl reset-reason score", "bold"), f"  {card.folder}"))
        for figures in card.figures:
            console.print(Text(f"\n{_headline(figures)}", "bold"))
            console.print(_table(figures))
        for title, look, lines in _lists(card, verbose=verbose):
            if lines:
                console.print(Text(f"\n{title}", STYLES[look]))
                console.print(Text("\n").join(Text(f"  {line}") for line in lines))
        console.print(Text(f"\nexit {card.exit_code} {card.exit_name}", "dim"))


def _lists(card: "ResetScore", *, verbose: bool) -> Iterator[tuple[str, str, list[str]]]:
    judged = [(case, one) for case in card.cases for one in case.axes]
    yield "Wrong", "fail", [_line(case, one) for case, one in judged if one.result == "wrong"]
    yield "Lost: the truth is excluded", "fail", [_line(case, one) for case, one in judged if one.result == "lost"]
    flat = [(case, one) for case in card.cases for one in case.flat_wrong]
    yield "Wrong in few words", "fail", [_flat_line(case, one) for case, one in flat]
    yield "Failed", "fail", [f"{one.case}  {one.message}" for one in card.failures]
    yield "Not scored: no truth is known", "unknown", [f"{one.case} {one.index}  {one.label}" for one in card.unscored]
    if verbose:
        silent = [_line(case, one) for case, one in judged if one.result == "silent" and one.truth]
        yield "Silent", "unknown", silent
        loose = [(case, one) for case, one in judged if one.basis == "none" and one.claim != "any"]
        yield "Asserted, and no label to check it by", "warn", [_line(case, one) for case, one in loose]


def _line(case: "CaseScore", one: "AxisScore") -> str:
    """A case by name with the axis, what was claimed, and what is true."""
    back = f" {case.index}" if case.index else ""
    expected = "nothing" if case.control else " or ".join(one.truth) or "unknown"
    return f"{case.case}{back}  {case.label}  {one.axis}: claims {one.claim}, true is {expected}"


def _flat_line(case: "CaseScore", one: "FlatWrong") -> str:
    """A case by name with a word that its label speaks against."""
    back, truth = f" {case.index}" if case.index else "", " or ".join(one.truth) or "nothing"
    return f"{case.case}{back}  {case.label}  {one.field}: says {one.said}, true is {truth}"


def _headline(figures: "Figures") -> str:
    from sparkctl.report.words import count

    words = f"{GROUPS[figures.group]}: {count(figures.cases, 'case')}, precision {_percent(figures.precision)}"
    words += f", truth left open {_percent(figures.open_coverage)}"
    if figures.controls:
        words += f", {figures.controls_right} of {figures.controls} controls without a claim"
    return words


def _table(figures: "Figures") -> "Table":
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("  axis", "right", "wrong", "silent", "lost", "unchecked", "precision", "coverage"):
        rows.add_column(name, justify="left" if name == "  axis" else "right", header_style="dim")
    for one in figures.axes:
        numbers = (one.right, one.wrong, one.silent, one.lost, one.unchecked)
        rows.add_row(f"  {one.axis}", *map(str, numbers), _percent(one.precision), _percent(one.coverage))
    return rows


def _percent(share: float | None) -> str:
    """A share in percent, rounded down: 100 % is all of them."""
    return "-" if share is None else f"{int(share * 1000) / 10:g} %"
