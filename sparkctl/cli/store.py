"""`sparkctl store`: the folder in which all that was seen is kept."""

from pathlib import Path

import click

from sparkctl.cli.options import Days, say, with_format, with_state


@click.group()
def store() -> None:
    """Look after what was seen and kept."""


@store.command()
@with_state
@with_format
@click.option("--days", type=Days(1, 36500), required=True, help="Keep the whole records of so many days.")
def prune(state: Path | None, form: str, days: float) -> None:
    """Let go of old run records, but for the last run of each kind of each node.

    What they said of status and facets stays: visits, changes, history and drift lose nothing. In the ledger of
    contacts each node keeps its thirteen newest boots. Alerts that ended before go, too. The space is used again; the
    file does not become smaller.

    Example: sparkctl store prune --days 30
    """
    from sparkctl.app.places import places
    from sparkctl.app.pruning import prune as let_go
    from sparkctl.report.words import count, size

    gone = let_go(places(None, state), days)
    words = f"{count(gone.records, 'record')} of {count(gone.runs, 'run')} let go, {size(gone.content_bytes)}"
    words += f"; {count(gone.boots, 'boot')} in the ledger" if gone.boots else ""
    words += f"; {count(gone.alerts, 'alert')} that had ended" if gone.alerts else ""
    say(
        form, words, records=gone.records, runs=gone.runs, content_bytes=gone.content_bytes, boots=gone.boots,
        alerts=gone.alerts,
    )  # fmt: skip
