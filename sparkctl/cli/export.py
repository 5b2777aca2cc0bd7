"""`sparkctl export`: what is known of nodes, for other systems."""

import sys
from datetime import timedelta
from pathlib import Path

import click

from sparkctl.cli.options import max_age_option, selector_argument, with_format, with_places

_NAMES = (
    "ocsf", "ecs", "splunk", "syslog", "cef", "leef", "servicenow", "netbox", "glpi", "snipeit", "cyclonedx",
    "cyclonedx-sbom", "prometheus", "otlp", "csv", "orchestrator",
)  # fmt: skip
"""The formats; they stand here too because help must not import what makes them."""


@click.command()
@selector_argument
@with_places
@with_format
@max_age_option("Leave out what was seen longer ago than this (90m, 36h, 7d, 2w) [no limit].")
@click.option(
    "--as", "target", metavar="FORMAT", type=click.Choice(_NAMES), required=True, help=f"One of: {', '.join(_NAMES)}."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Put it into this file, whole or not at all [print it]. --format is for the report about that.",
)
def export(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    max_age: timedelta | None,
    target: str,
    output: Path | None,
) -> None:
    """Write what is known of nodes in the words of another system.

    Nodes are not visited: sweep and collect first. What is not known is left out, or told as such, and never zero.
    docs/exports.md says how to load each format, and docs/integrations/ what becomes of each field.

    The exit code is 3 when nothing is known of a node, or when --max-age left something out.

    \b
    Example: sparkctl export --as netbox rack=a1 > objects.jsonl
             sparkctl export --as prometheus --output /var/lib/prometheus/node-exporter/sparkctl.prom
    """
    from sparkctl.app.export import Export
    from sparkctl.app.places import places
    from sparkctl.report.exported import show_export

    made = Export(places(fleet, state), ",".join(selector) or "all", target, max_age)
    if output is None:
        for piece in made.pieces():
            sys.stdout.write(piece)
    else:
        made.write_to(output)
    report = made.report(output)
    if form == "human" or output is None:
        show_export(report, sys.stderr if output is None else sys.stdout)
    else:
        click.echo(report.model_dump_json())
    sys.exit(report.exit_code)
