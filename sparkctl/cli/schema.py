"""`sparkctl schema`: the published JSON Schemas."""

import json
from pathlib import Path

import click

from sparkctl.cli.options import say, with_format, with_format_for_files
from sparkctl.errors import ExitCode


@click.group(short_help="Published JSON Schemas, and checking against them.")
def schema() -> None:
    """Show the published JSON Schemas and hold documents against them."""


@schema.command("list")
@with_format_for_files
def list_(form: str) -> None:
    """List the schemas by name."""
    from sparkctl.app import schemas

    for name in schemas.names():
        say(form, name, name=name)


@schema.command()
@click.argument("name")
@with_format_for_files
def show(name: str, form: str) -> None:
    """Print one schema.

    Example: sparkctl schema show run-record
    """
    from sparkctl.app import schemas

    text = schemas.text(name)
    click.echo(text if form == "human" else json.dumps(json.loads(text)), nl=form != "human")


@schema.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@with_format_for_files
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a generated file of the checkout is stale.")
def export(folder: Path | None, check: bool, form: str) -> int:
    """Write the schemas to FOLDER, or in a checkout every generated file in its place.

    Example: sparkctl schema export /srv/schemas
    """
    from sparkctl.app import schemas

    if folder is not None and check:
        raise click.UsageError("--check looks at the checkout; it takes no FOLDER")
    if check:
        stale = schemas.stale_in_checkout()
        for path in stale:
            say(form, f"stale: {path}; write it with: sparkctl schema export", file=path, stale=True)
        return ExitCode.FINDINGS if stale else ExitCode.OK
    for path in schemas.export_to(folder) if folder is not None else schemas.export_checkout():
        say(form, str(path), file=path)
    return ExitCode.OK


@schema.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@with_format
def check(files: tuple[Path, ...], form: str) -> int:
    """Hold JSON documents against the schema that each of them names; FILE may hold one per line.

    Example: sparkctl health --format jsonl > sweep.jsonl; sparkctl schema check sweep.jsonl
    """
    from sparkctl.app import schemas

    broken = 0
    for path in files:
        checked = schemas.check(path)
        broken += len(checked.complaints)
        for line, complaint in checked.complaints:
            say(form, f"{path}:{line}: {complaint}", file=path, line=line, complaint=complaint)
        valid = checked.documents - len(checked.complaints)
        say(
            form,
            f"{path}: {valid} of {checked.documents} documents are valid",
            file=path,
            documents=checked.documents,
            valid=valid,
        )
    return ExitCode.FINDINGS if broken else ExitCode.OK
