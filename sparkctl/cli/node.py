"""`sparkctl node`: where nodes are in their lives, and how they move on."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import say, selector_argument, simulated, with_format, with_places

_FILE = click.Path(path_type=Path)


@click.group(short_help="Where nodes are in their lives, and what the next step waits for.")
def node() -> None:
    """See where nodes are in their lives, from the order to the disposal, and move them on by evidence."""


@node.command("list")
@selector_argument
@with_places
@with_format
@click.option("--in", "within", multiple=True, metavar="STATE", help="Only nodes in this state; may be repeated [all].")
def list_(
    selector: tuple[str, ...], fleet: Path | None, state: Path | None, form: str, within: tuple[str, ...]
) -> None:
    """List nodes by their state, and since when.

    The ledger says what the state is. Without a selector, nodes that are only in the ledger are listed, too.

    Example: sparkctl node list --in quarantined
    """
    from sparkctl.app.node_states import node_states
    from sparkctl.app.places import places

    found = node_states(places(fleet, state), ",".join(selector) or "all", within)
    if form == "human":
        from datetime import UTC, datetime

        from sparkctl.report.lifecycle import show_states

        show_states(found, datetime.now(UTC), sys.stdout)
        return
    for one in found:
        click.echo(one.model_dump_json())


@node.command()
@click.argument("name", metavar="NODE")
@with_places
@with_format
def show(name: str, fleet: Path | None, state: Path | None, form: str) -> None:
    """Show where a node is in its life, how it came there, and what each next move waits for.

    Example: sparkctl node show spark03
    """
    from sparkctl.app.node_states import node_lifecycle
    from sparkctl.app.places import places

    found = node_lifecycle(places(fleet, state), name)
    if form == "human":
        from datetime import UTC, datetime

        from sparkctl.report.lifecycle import show_lifecycle

        show_lifecycle(found, datetime.now(UTC), sys.stdout)
        return
    click.echo(found.model_dump_json())


@node.command()
@click.argument("name", metavar="NODE")
@click.argument("to", metavar="STATE")
@click.option("--reason", required=True, help="Why, in one line; it stands in the ledger.")
@click.option("--evidence", "evidence", multiple=True, metavar="KIND=FILE", help="A document that the move rests on.")
@with_places
@with_format
def move(
    name: str,
    to: str,
    reason: str,
    evidence: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
) -> None:
    """Move NODE to STATE, when there is such a move and all its evidence is there. It is entered in the ledger.

    A node that is cabled to another moves with it where the move takes units whole. Exit 4 when it is refused.

    Example: sparkctl node move spark03 maintenance --reason 'fan' --evidence maintenance.planned=t.pdf
    """
    from sparkctl.app.evidence_file import kinds_and_files
    from sparkctl.app.node_moves import move as move_on
    from sparkctl.app.places import places

    for moved in move_on(places(fleet, state), name, to, reason, kinds_and_files(evidence)):
        last = moved.entries[-1]
        say(
            form,
            f"{moved.node_id}  {moved.left.value} → {moved.entered.value}  entry {last.seq}, {last.sha256[:12]}"
            + simulated(last.simulated),
            node=moved.node_id,
            left=moved.left.value,
            entered=moved.entered.value,
            entries=[entry.seq for entry in moved.entries],
            sha256=last.sha256,
            simulated=last.simulated,
        )


@node.command()
@click.argument("name", metavar="NODE")
@click.argument("kind", metavar="KIND")
@click.argument("file", type=_FILE)
@with_places
@with_format
def evidence(name: str, kind: str, file: Path, fleet: Path | None, state: Path | None, form: str) -> None:
    """Enter FILE as evidence of a KIND for NODE: its name and its SHA-256. The file is not copied: keep it.

    `sparkctl help lifecycle` lists the kinds.

    Example: sparkctl node evidence spark03 case.closed case-4711.pdf
    """
    from sparkctl.app.node_moves import add_evidence
    from sparkctl.app.places import places

    entry = add_evidence(places(fleet, state), name, kind, file)
    ref = entry.evidence[0]
    words = f"{name}  {kind}  {ref.name}  sha256 {ref.sha256}  entry {entry.seq}{simulated(entry.simulated)}"
    say(
        form, words, node=name, evidence=kind, name=ref.name, sha256=ref.sha256, entry=entry.seq,
        simulated=entry.simulated,
    )  # fmt: skip
