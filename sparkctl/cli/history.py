"""`sparkctl history`: what the store remembers of a node."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import with_format, with_state


@click.command()
@click.argument("node")
@with_state
@with_format
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Visits and changes shown."
)
def history(node: str, state: Path | None, form: str, limit: int) -> None:
    """Show the visits to NODE and every change of status.

    Example: sparkctl history spark03
    """
    from sparkctl.app.past import recall
    from sparkctl.app.places import places
    from sparkctl.report.past import show_past, write_past

    past = recall(places(None, state), node, limit)
    if form == "human":
        show_past(past, sys.stdout)
    else:
        write_past(past, sys.stdout)
