"""`sparkctl collect`: say what nodes are."""

from pathlib import Path
from typing import Any

import click

from sparkctl.cli.run_options import output_for, run_request, with_run_options


@click.command()
@with_run_options
@click.option("--facet", "facets", multiple=True, help="Only this facet; may be repeated [all].")
@click.option("-v", "--verbose", is_flag=True, help="Show more: every field that could not be read, costs.")
def collect(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    facets: tuple[str, ...],
    verbose: bool,
    **bounds: Any,
) -> int:
    """Collect what nodes are over SSH, facet by facet: identity, hardware, firmware, software and more.

    SELECTOR names nodes as for health. What was collected is shown by `show`, `history` and `drift`.

    \b
    Example:
      sparkctl collect
      sparkctl collect rack=a1 --facet firmware --facet drivers
    """
    from sparkctl.app.collect import collect as ask

    return ask(run_request(selector, fleet, state, bounds), facets, output_for(form, verbose=verbose))
