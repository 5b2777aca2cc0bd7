"""`sparkctl drift`: what is otherwise than the baseline says."""

import gc
import sys
from datetime import timedelta
from pathlib import Path

import click

from sparkctl.cli.options import selector_argument, with_format, with_max_age, with_places

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@selector_argument
@with_places
@with_format
@with_max_age
@click.option("--baseline", type=_FILE, help="Baseline to hold nodes against [STATE/baseline.yaml].")
@click.option("--allowed-signers", type=_FILE, help="Refuse a baseline that none of these signers signed.")
def drift(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    max_age: timedelta | None,
    baseline: Path | None,
    allowed_signers: Path | None,
) -> None:
    """Hold what is known of the nodes against a baseline.

    Nodes are not visited: collect their facts first. Nodes whose facts are older than --max-age are stale: they are
    not compared, and the exit code is 3 if nothing is found.

    Example: sparkctl collect && sparkctl drift rack=a1 --max-age 36h
    """
    from sparkctl.app.drift import drift as compare
    from sparkctl.app.places import places

    gc.disable()  # all that is made here is needed to the end, which is near
    report = compare(places(fleet, state), ",".join(selector) or "all", baseline, allowed_signers, max_age)
    if form == "human":
        from sparkctl.report.drift import show_drift

        show_drift(report, sys.stdout)
    else:
        click.echo(report.model_dump_json())
    sys.exit(report.exit_code)
