"""Options that the commands about playbooks share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import Decorated, Seconds, with_format, with_format_for_files, with_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from sparkctl.app.playbook_parts import Desk
    from sparkctl.executor.limits import Limits

_site_option = click.option(
    "--site",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Rules for playbooks [SPARKCTL_PLAYBOOKS, playbooks.yaml beside the inventory].",
)
run_argument = click.argument("run_id", metavar="RUN")


def with_desk(command: Decorated) -> Decorated:
    """Add the places, `--site` and `--format`."""
    return with_places(_site_option(with_format(command)))


def with_desk_for_files(command: Decorated) -> Decorated:
    """The same for a command whose output is a file's text."""
    return with_places(_site_option(with_format_for_files(command)))


_LIMITS = (
    click.option("--concurrency", type=click.IntRange(1, 2000), default=50, show_default=True, help="Visits at once."),
    click.option("--timeout", type=Seconds(1, 3600), default=60.0, show_default=True, help="Seconds for one visit."),
)


def with_limits(command: Decorated) -> Decorated:
    for option in reversed(_LIMITS):
        command = option(command)
    return command


def limits_of(timeout: float, concurrency: int) -> "Limits":
    from sparkctl.executor.limits import Limits

    return Limits.within(timeout, concurrency=concurrency)


def desk_of(fleet: Path | None, state: Path | None, site: Path | None) -> "Desk":
    from sparkctl.app.places import places
    from sparkctl.app.playbook_parts import Desk

    return Desk(places(fleet, state), site)


def print_documents(form: str, documents: "Sequence[BaseModel]") -> None:
    """JSON lines, or one JSON list."""
    lines = [document.model_dump_json() for document in documents]
    if form == "json":
        click.echo("[" + ",\n".join(lines) + "]")
    elif lines:
        click.echo("\n".join(lines))
