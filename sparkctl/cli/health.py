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
    with_bundle_options,
    with_run_options,
)


@click.command()
@with_run_options
@with_bundle
@click.option(
    "--level",
    type=click.Choice(["L1", "L2"]),
    default="L1",
    help="How deep to look; L2 adds bundles.",
    show_default=True,
)
@with_bundle_options
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
    level: str,
    out: Path | None,
    key: Path | None,
    named: tuple[str, ...],
    total_size: int | None,
    fail_on: str,
    verbose: bool,
    **bounds: Any,
) -> int:
    """Judge nodes over SSH, now.

    SELECTOR names nodes (spark[01-08]), or what they have in common (rack=a1); several are joined by "or". Without one,
    all nodes of the inventory are judged. At level L2 each node that answered is then asked for its evidence, as by
    `bundle collect`.

    \b
    Example:
      sparkctl health
      sparkctl health 'rack=a1 & !spark03' --format jsonl | jq -r .status
      sparkctl health rack=a1 --level L2 --out evidence --deadline 900
    """
    from sparkctl.app.health import sweep
    from sparkctl.model.vocabulary import Status

    output = output_for(form, verbose=verbose)
    if level == "L1" and (out or key or named or total_size):
        raise click.UsageError("--out, --sign, --with and --total-size are of bundles: they go with --level L2")
    if bundle is not None:
        from sparkctl.app.over_tree import how_it_was
        from sparkctl.report.tally import Tally

        refuse_nodes(selector, bounds, "--bundle")
        return ask_bundle(bundle, trust_of(allowed_signers, public_key), how_it_was(), Tally(Status(fail_on)), output)
    request = run_request(selector, fleet, state, bounds)
    if level == "L2":
        from sparkctl.app.bundle_collect import BundleOptions
        from sparkctl.app.health import sweep_with_bundles

        _refuse_what_two_runs_cannot(form, bounds)
        options = BundleOptions(out=out or Path(), key=key, named=named, total_bytes=total_size)
        outputs = output, output_for(form, verbose=verbose)
        return sweep_with_bundles(request, outputs, options, fail_on=Status(fail_on))
    return sweep(request, output, fail_on=Status(fail_on))


def _refuse_what_two_runs_cannot(form: str, bounds: dict[str, Any]) -> None:
    if bounds["resume"]:
        raise click.UsageError(
            "--level L2 makes two runs; take up the one that ended early: sparkctl health --resume last, or"
            " sparkctl bundle collect --resume last"
        )
    if form == "json":
        raise click.UsageError("--level L2 makes two runs and --format json is one document: use jsonl")
