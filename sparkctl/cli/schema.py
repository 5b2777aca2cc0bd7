"""`sparkctl schema`: the published JSON Schemas."""

from pathlib import Path

import click

from sparkctl.errors import ExitCode


@click.group(short_help="Published JSON Schemas, and checking against them.")
def schema() -> None:
    """Show the published JSON Schemas and hold documents against them."""


@schema.command("list")
def list_() -> None:
    """List the schemas by name."""
    from sparkctl.app import schemas

    click.echo("\n".join(schemas.names()))


@schema.command()
@click.argument("name")
def show(name: str) -> None:
    """Print one schema.

    Example: sparkctl schema show run-record
    """
    from sparkctl.app import schemas

    click.echo(schemas.text(name), nl=False)


@schema.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a generated file of the checkout is stale.")
def export(folder: Path | None, check: bool) -> int:
    """Write the schemas to FOLDER, or in a checkout every generated file in its place.

    Example: sparkctl schema export /srv/schemas
    """
    from sparkctl.app import schemas

    if folder is not None and check:
        raise click.UsageError("--check looks at the checkout; it takes no FOLDER")
    if check:
        stale = schemas.stale_in_checkout()
        for path in stale:
            click.echo(f"stale: {path}; write it with: sparkctl schema export", err=True)
        return ExitCode.FINDINGS if stale else ExitCode.OK
    for path in schemas.export_to(folder) if folder is not None else schemas.export_checkout():
        click.echo(str(path))
    return ExitCode.OK


@schema.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
def check(files: tuple[Path, ...]) -> int:
    """Hold JSON documents against the schema that each of them names; FILE may hold one per line.

    Example: sparkctl health --format jsonl > sweep.jsonl; sparkctl schema check sweep.jsonl
    """
    from sparkctl.app import schemas

    broken = 0
    for path in files:
        checked = schemas.check(path)
        broken += len(checked.complaints)
        for line, complaint in checked.complaints:
            click.echo(f"{path}:{line}: {complaint}")
        click.echo(f"{path}: {checked.documents - len(checked.complaints)} of {checked.documents} documents are valid")
    return ExitCode.FINDINGS if broken else ExitCode.OK
