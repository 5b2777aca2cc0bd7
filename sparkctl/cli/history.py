"""`sparkctl history`: what the store remembers of a node."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import with_format, with_state

if TYPE_CHECKING:
    from sparkctl.app.places import Places


@click.command()
@click.argument("node")
@with_state
@with_format
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Visits and changes shown."
)
@click.option("--facet", help="Show what changed of this facet instead of checks.")
def history(node: str, state: Path | None, form: str, limit: int, facet: str | None) -> None:
    """Show the visits to NODE and every change of status, or every change of a facet.

    \b
    Example: sparkctl history spark03
             sparkctl history spark03 --facet drivers
    """
    from sparkctl.app.places import places

    where = places(None, state)
    if facet is not None:
        _show_facet(where, node, facet, form, limit)
        return
    from sparkctl.app.past import recall
    from sparkctl.report.past import show_past, write_past

    past = recall(where, node, limit)
    if form == "human":
        show_past(past, sys.stdout)
    else:
        write_past(past, sys.stdout)


def _show_facet(where: "Places", node: str, facet: str, form: str, limit: int) -> None:
    from sparkctl.app.facts import steps
    from sparkctl.report.facts import show_steps, step_line

    found = steps(where, node, facet)[-limit:]
    if form == "human":
        show_steps(node, facet, [(step.at, step.first, step.differences) for step in found], sys.stdout)
    else:
        for step in found:
            click.echo(step_line(node, facet, step.at, step.run_id, step.differences))
