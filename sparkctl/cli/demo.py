"""`sparkctl demo`: the whole thing on a simulated fleet."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import with_format_for_files
from sparkctl.errors import ExitCode


@click.command()
@click.option("--nodes", type=click.IntRange(1, 500), default=24, show_default=True, help="How many simulated nodes.")
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="FILE", help="Where the page goes [a temporary folder]."
)
@with_format_for_files
def demo(nodes: int, html: Path | None, form: str) -> int:
    """Judge a simulated fleet, some of it broken or hostile, ask how a node went down, write a page of it all, and
    take it all down again.

    Everything happens on loopback and in a temporary folder; only the page for a browser stays, and programs that read
    JSON get one when they name it. Exit 0 means that the demo ran, not that all nodes are well.

    Example: sparkctl demo
    """
    from sparkctl.app.demo import NEXT, kept_page, run_demo
    from sparkctl.report.outputs import JsonDocument, JsonLines, Screen
    from sparkctl.report.reset_screen import ResetScreen

    if form != "human":
        output = JsonDocument if form == "json" else JsonLines
        run_demo(nodes, (lambda: html) if html else None, output(sys.stdout), output(sys.stdout), sys.stderr)
        return ExitCode.OK
    reset_screen = ResetScreen(sys.stdout, sys.stderr, verbose=False, timeline=False)
    run_demo(
        nodes, lambda: html or kept_page(), Screen(sys.stdout, sys.stderr, verbose=False), reset_screen, sys.stderr
    )
    click.echo(NEXT, nl=False)
    return ExitCode.OK
