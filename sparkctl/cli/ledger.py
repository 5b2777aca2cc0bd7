"""`sparkctl ledger`: the book of custody."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.ledger_checkpoint import (
    checkpoint,
    cosign,
    import_cosignature,
    key_option,
    prove,
    verify_proof,
    with_signers,
)
from sparkctl.cli.ledger_timestamp import timestamp_request, timestamp_verify
from sparkctl.cli.options import duration_option, say, with_format, with_state
from sparkctl.errors import ExitCode, SparkctlError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparkctl.app.ledger import Shown


@click.group(short_help="What happened to each machine, by whom, on what evidence.")
def ledger() -> None:
    """Read, enter, sign and verify what happened to each machine: a chain of which nothing can be taken unseen."""


for command in (checkpoint, cosign, import_cosignature, prove, verify_proof, timestamp_request, timestamp_verify):
    ledger.add_command(command)


@ledger.command()
@click.option("--node", metavar="NODE", help="Only entries of this node.")
@click.option("--kind", metavar="KIND", help="Only entries of this kind, such as custody.moved.")
@duration_option("--since", "Only what was entered in the last so long (36h, 7d, 2w) [all].")
@with_state
@with_format
def show(node: str | None, kind: str | None, since: timedelta | None, state: Path | None, form: str) -> None:
    """List entries, the newest last. As JSON lines each is written as it is hashed and signed.

    \b
    Example:
      sparkctl ledger show --node spark07
      sparkctl ledger show --kind custody.moved --since 4w --format jsonl
    """
    from sparkctl.app.ledger import shown, utc_now
    from sparkctl.app.places import places

    found = shown(places(None, state).state, node, kind, since, utc_now())
    if form == "human":
        from sparkctl.report.ledger import show_entries

        show_entries(((one.entry, one.signed) for one in found), sys.stdout)
        return
    _print_entries(found, form)


def _print_entries(found: "Iterable[Shown]", form: str) -> None:
    """JSON lines, or one JSON list."""
    lines = (one.entry.canonical.decode() for one in found)
    if form == "json":
        click.echo("[" + ",\n".join(lines) + "]")
        return
    for line in lines:
        click.echo(line)


@ledger.command()
@click.option("--kind", required=True, metavar="KIND", help="custody.handed_over, custody.moved, custody.note ...")
@click.option("--summary", required=True, metavar="WORDS", help="What happened, in one line.")
@click.option("--node", metavar="NODE", help="The node that it happened to.")
@click.option("--serial", metavar="SERIAL", help="The serial number of the machine.")
@click.option("--fact", "facts", multiple=True, metavar="KEY=VALUE", help="What happened in particular; repeatable.")
@click.option(
    "--evidence",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file that it rests on; its digest is entered, not the file. Repeatable.",
)
@click.option("--simulated", is_flag=True, help="It is an exercise, and no machine was touched.")
@click.option("--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="Sign it with this OpenSSH key.")
@with_state
@with_format
def add(
    kind: str,
    summary: str,
    node: str | None,
    serial: str | None,
    facts: tuple[str, ...],
    evidence: tuple[Path, ...],
    simulated: bool,
    key: Path | None,
    state: Path | None,
    form: str,
) -> None:
    """Enter by hand what happened to a machine, as this user on this host. What is entered cannot be taken back.

    KIND is one of custody.received, custody.handed_over, custody.moved, custody.stored, custody.inspected,
    custody.shipped, custody.destroyed and custody.note.

    \b
    Example:
      sparkctl ledger add --kind custody.handed_over --node spark07 \\
        --summary "to the shredder of Example Recycling" --fact to="J. Doe" --evidence receipt.pdf
    """
    from sparkctl.app.ledger import ByHand, enter_by_hand, utc_now
    from sparkctl.app.ledger_sign import sign_entries
    from sparkctl.app.places import places

    where = places(None, state).state
    asked = ByHand(kind, summary, node, serial, facts, evidence, simulated)
    entry = enter_by_hand(where, asked, utc_now())
    signed = False
    try:
        signed = key is not None and entry.seq in sign_entries(where, key, entry.seq)
    except SparkctlError as error:
        click.echo(f"sparkctl: entry {entry.seq} is entered, but not signed", err=True)
        raise error from error
    words = f"entry {entry.seq}{' is entered and signed' if signed else ' is entered'}: {entry.sha256}"
    say(form, words, seq=entry.seq, sha256=entry.sha256, signed=signed)


@ledger.command()
@key_option("The OpenSSH key to sign with; a public one if an agent holds it.", required=True)
@click.option("--since", type=click.IntRange(1), default=1, metavar="SEQ", help="Only from this entry on [1].")
@with_state
@with_format
def sign(key: Path, since: int, state: Path | None, form: str) -> None:
    """Sign every entry that bears no signature yet, for spark-custody; none of a ledger that does not hold.

    Example: sparkctl ledger sign --key ~/.ssh/id_ed25519
    """
    from sparkctl.app.ledger_sign import sign_entries
    from sparkctl.app.places import places

    done = sign_entries(places(None, state).state, key, since)
    words = f"{len(done):,} signed: entries {done[0]} to {done[-1]}" if done else "every entry is signed already"
    say(form, words, signed=len(done), first=done[0] if done else None, last=done[-1] if done else None)


@ledger.command()
@with_signers
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A checkpoint that was kept elsewhere; repeatable.",
)
@with_state
@with_format
def verify(allowed_signers: Path | None, notes: tuple[Path, ...], state: Path | None, form: str) -> int:
    """Find any edit, removal, insertion or reorder, and name the first entry that is wrong; exit 4 then.

    Entries taken from the end, or all of it made anew, show against a checkpoint only; where none can tell, that is
    said. Checkpoints of the store could be taken away with the entries: name one that lies elsewhere.

    \b
    Example:
      sparkctl ledger verify --allowed-signers custody.signers
      sparkctl ledger verify --checkpoint /media/audit/2026-11.checkpoint.json
    """
    from sparkctl.app.ledger_verify import verify_ledger
    from sparkctl.app.places import places

    report = verify_ledger(places(None, state).state, allowed_signers, notes)
    if form == "human":
        from sparkctl.report.ledger import show_report

        show_report(report, sys.stdout)
    else:
        click.echo(report.model_dump_json())
    return ExitCode.OK if report.holds else ExitCode.REFUSED
