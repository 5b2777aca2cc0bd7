"""`sparkctl collect`: say what nodes are."""

from pathlib import Path
from typing import Any

import click

from sparkctl.cli.run_options import (
    ask_bundle,
    output_for,
    refuse_nodes,
    run_request,
    trust_of,
    with_bundle,
    with_run_options,
)


@click.command()
@with_run_options
@with_bundle
@click.option("--facet", "facets", multiple=True, help="Only this facet; may be repeated [all].")
@click.option("-v", "--verbose", is_flag=True, help="Show more: every field that could not be read, costs.")
def collect(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    bundle: Path | None,
    allowed_signers: Path | None,
    public_key: Path | None,
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

    output = output_for(form, verbose=verbose)
    if bundle is not None:
        from sparkctl.app.facts import chosen_facets
        from sparkctl.app.over_tree import what_it_was
        from sparkctl.report.collection import CollectTally

        refuse_nodes(selector, bounds, "--bundle")
        wanted = tuple(chosen_facets(facets, []))
        trust = trust_of(allowed_signers, public_key)
        return ask_bundle(bundle, trust, what_it_was(wanted), CollectTally(wanted), output)
    return ask(run_request(selector, fleet, state, bounds), facets, output)
