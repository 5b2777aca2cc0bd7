"""`sparkctl health`: judge nodes now."""

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
@click.option("--level", type=click.Choice(["L1"]), default="L1", help="How deep to look.", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="The status from which the exit code is 1.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show more: all warnings, optional unknown checks, costs.")
def health(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    bundle: Path | None,
    allowed_signers: Path | None,
    public_key: Path | None,
    level: str,  # noqa: ARG001 - there is one level so far
    fail_on: str,
    verbose: bool,
    **bounds: Any,
) -> int:
    """Judge nodes over SSH, now.

    SELECTOR names nodes (spark[01-08]), or what they have in common (rack=a1); several are joined by "or". Without one,
    all nodes of the inventory are judged.

    \b
    Example:
      sparkctl health
      sparkctl health 'rack=a1 & !spark03' --format jsonl | jq -r .status
    """
    from sparkctl.app.health import sweep
    from sparkctl.model.vocabulary import Status

    output = output_for(form, verbose=verbose)
    if bundle is not None:
        from sparkctl.app.over_tree import how_it_was
        from sparkctl.report.tally import Tally

        refuse_nodes(selector, bounds, "--bundle")
        return ask_bundle(bundle, trust_of(allowed_signers, public_key), how_it_was(), Tally(Status(fail_on)), output)
    request = run_request(selector, fleet, state, bounds)
    return sweep(request, output, fail_on=Status(fail_on))
