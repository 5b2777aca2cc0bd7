"""`sparkctl baseline`: what nodes should be."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import say, with_format, with_format_for_files, with_places, with_state

_FILE = click.Path(path_type=Path, dir_okay=False)
_to_file = click.option("--file", "path", type=_FILE, help="The baseline's file [STATE/baseline.yaml].")


@click.group()
def baseline() -> None:
    """Say what nodes should be, in a file that can be read, edited and kept in git."""


@baseline.command("set")
@with_places
@with_format
@_to_file
@click.option("--node", help="Take what this node is.")
@click.option("--majority", metavar="SELECTOR", help="Take what more than half of these nodes are, field by field.")
@click.option("--from", "source", type=_FILE, help="Take a baseline from this file.")
@click.option("--facet", "facets", multiple=True, help="Only these facets [all but identity].")
@click.option("--sign", "key", type=_FILE, help="Sign the file with this OpenSSH key, into FILE.sig.")
def set_baseline(
    fleet: Path | None,
    state: Path | None,
    form: str,
    path: Path | None,
    node: str | None,
    majority: str | None,
    source: Path | None,
    facets: tuple[str, ...],
    key: Path | None,
) -> None:
    """Make a baseline of what a node is, of what most nodes are, or of a file.

    Example: sparkctl baseline set --majority rack=a1 --sign ~/.ssh/id_ed25519
    """
    from sparkctl.app.baseline import Wanted
    from sparkctl.app.baseline import set_baseline as make
    from sparkctl.app.places import places
    from sparkctl.report.words import count

    made = make(places(fleet, state), Wanted(path, node, majority, source, facets, key))
    words = f"{made.path} expects {count(made.fields, 'field')} of {', '.join(made.facets)}, as of {made.made_from}"
    if made.undecided:
        words += f"; without a majority or not to be read, and so ignored: {count(len(made.undecided), 'field')}"
    if made.signature:
        words += f"; signed in {made.signature}"
    say(
        form, words, file=made.path, facets=made.facets, fields=made.fields, made_from=made.made_from,
        undecided=made.undecided, signature=made.signature,
    )  # fmt: skip


@baseline.command()
@with_state
@with_format_for_files
@_to_file
def show(state: Path | None, form: str, path: Path | None) -> None:
    """Print the baseline, as it was understood.

    Example: sparkctl baseline show --file golden.yaml
    """
    from sparkctl.app.baseline_file import BASELINE_NAME, baseline_text, read_baseline
    from sparkctl.app.places import places

    found = read_baseline(path or places(None, state).state / BASELINE_NAME).baseline
    sys.stdout.write(baseline_text(found) if form == "human" else found.model_dump_json() + "\n")
