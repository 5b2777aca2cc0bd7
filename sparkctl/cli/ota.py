"""`sparkctl ota`: which release of DGX OS nodes are on."""

import sys
from datetime import timedelta
from pathlib import Path

import click

from sparkctl.cli.options import selector_argument, with_format, with_max_age, with_places


@click.command()
@selector_argument
@with_places
@with_format
@with_max_age
@click.option("-v", "--verbose", is_flag=True, help="Name what failed and what could not be verified.")
def ota(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    max_age: timedelta | None,
    verbose: bool,
) -> None:
    """Say which release of DGX OS nodes are on, and which are torn between two.

    The recipes that the nodes themselves hold are scored here; the vendor's checker is not run. Nodes are not visited:
    collect their facts first.

    Nodes whose facts are older than --max-age are stale: they are not judged, and the exit code is 3 if nothing failed.

    Example: sparkctl collect --facet ota && sparkctl ota --max-age 36h
    """
    from sparkctl.app.ota import ota_report
    from sparkctl.app.places import places
    from sparkctl.report.ota import show_ota

    report = ota_report(places(fleet, state), ",".join(selector) or "all", max_age)
    if form == "human":
        show_ota(report, sys.stdout, verbose=verbose)
    else:
        click.echo(report.model_dump_json())
    sys.exit(report.exit_code)
