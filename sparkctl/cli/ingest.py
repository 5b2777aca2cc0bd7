"""`sparkctl ingest`: documents of the vendor's own tools."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import with_format, with_places


@click.command(short_help="Read documents of the vendor's own tools.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@with_places
@with_format
@click.option("--node", help="The node that the documents are about [told by serial or host, with an inventory].")
@click.option("--compare", is_flag=True, help="Say where a document differs from what was collected.")
@click.option("-v", "--verbose", is_flag=True, help="Name every field that was taken, and why others were not.")
def ingest(
    files: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    node: str | None,
    compare: bool,
    verbose: bool,
) -> None:
    """Read JSON of the vendor's manageability tools and say what each field of it means.

    FILE holds one document or one on each line; - is standard input. Nothing is stored: a document tells a part of a
    facet only.

    Example: sparkctl ingest hardware_config.json --node spark03 --compare
    """
    from sparkctl.app.ingest import IngestRequest, exit_code
    from sparkctl.app.ingest import ingest as read
    from sparkctl.app.places import places
    from sparkctl.report.ingest import show_document, show_totals

    codes, seen = [], []
    for record in read(IngestRequest(places(fleet, state), files, node=node, compare=compare)):
        codes.append(record.exit_code)
        seen.append((record.refusal is not None, record.about is not None and record.about.node_id is not None))
        if form == "human":
            show_document(record, sys.stdout, verbose=verbose)
        else:
            click.echo(record.model_dump_json())
        if record.refusal is not None:
            click.echo(f"sparkctl: {record.source}:{record.line}: {record.refusal.message}", err=True)
    code = exit_code(codes)
    if form == "human":
        show_totals(seen, code, code.name.lower(), sys.stdout)
    sys.exit(code)
