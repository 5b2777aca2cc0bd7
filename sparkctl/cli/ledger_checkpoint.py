"""`sparkctl ledger checkpoint`, and what is done with checkpoints: cosign, take cosignatures back, prove."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sparkctl.cli.options import Decorated, say, with_format, with_state


def key_option(words: str, **how: Any) -> Callable[[Decorated], Decorated]:
    """Add `--key`."""
    return click.option("--key", type=click.Path(path_type=Path), metavar="KEY", help=words, **how)


with_signers = click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose signatures count, as ssh-keygen has it.",
)
"""Add `--allowed-signers`."""


@click.command()
@key_option("Sign it with this OpenSSH key.")
@click.option("--export", type=click.Path(path_type=Path), metavar="FILE", help="Write it for other bastions.")
@click.option(
    "--since",
    type=click.IntRange(1),
    multiple=True,
    metavar="SIZE",
    help="With --export, prove that it follows from the first SIZE entries [each older checkpoint].",
)
@click.option("--origin", metavar="NAME", help="Name this ledger, once [the name of this host].")
@with_state
@with_format
def checkpoint(
    key: Path | None, export: Path | None, since: tuple[int, ...], origin: str | None, state: Path | None, form: str
) -> None:
    """Make a checkpoint over all entries: a Merkle root (RFC 6962), kept in the store, and written to FILE for others.

    A copy elsewhere tells later if the ledger was cut or changed. Another bastion says so with `ledger cosign`.

    \b
    Example:
      sparkctl ledger checkpoint --key ~/.ssh/id_ed25519 --export bastion-1.checkpoint.json
    """
    from sparkctl.app.ledger import utc_now
    from sparkctl.app.ledger_checkpoint import make_checkpoint, with_proofs
    from sparkctl.app.ledger_file import write_document
    from sparkctl.app.places import places

    if since and export is None:
        raise click.UsageError("--since goes with --export")
    where = places(None, state).state
    note = make_checkpoint(where, key, origin, utc_now())
    if export is not None:
        write_document(with_proofs(where, note, since), export)
    made = note.checkpoint
    words = f"checkpoint of {made.origin} over {made.size:,} entries: {made.root}"
    words += "" if note.signatures else "\n  nobody signed it: name --key"
    words += f"\n  written to {export}" if export else ""
    say(
        form, words, origin=made.origin, size=made.size, root=made.root, signatures=len(note.signatures),
        file=export and str(export),
    )  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@key_option("The OpenSSH key to sign with.", required=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="OUT", help="Where to write it [FILE itself].")
@click.option(
    "--first", is_flag=True, help="It is the first of its ledger that is seen here, and you know whose it is."
)
@with_signers
@with_state
@with_format
def cosign(
    file: Path,
    key: Path,
    out: Path | None,
    first: bool,
    allowed_signers: Path | None,
    state: Path | None,
    form: str,
) -> None:
    """Sign a checkpoint of another bastion, if it follows from the last one of that ledger that was seen here.

    That it was seen is entered in the ledger here. A fork, a cut or a ledger that was made anew is refused with exit 4.

    \b
    Example:
      sparkctl ledger cosign bastion-1.checkpoint.json --key ~/.ssh/id_ed25519 \\
        --allowed-signers custody.signers
    """
    from sparkctl.app.ledger import utc_now
    from sparkctl.app.ledger_checkpoint import cosign as sign
    from sparkctl.app.ledger_file import write_document
    from sparkctl.app.places import places

    where = places(None, state).state
    done = sign(where, file, key, allowed_signers=allowed_signers, first=first, now=utc_now())
    write_document(done.note, out or file)
    made = done.note.checkpoint
    words = f"cosigned: {made.origin} over {made.size:,} entries, which was signed by {', '.join(done.signed_by)}"
    words += f"\n  it follows from the {done.before:,} seen before" if done.before else "\n  the first one seen here"
    say(form, words, origin=made.origin, size=made.size, before=done.before, file=str(out or file))


@click.command("import-cosignature")
@click.argument("file", type=click.Path(path_type=Path))
@with_signers
@with_state
@with_format
def import_cosignature(file: Path, allowed_signers: Path | None, state: Path | None, form: str) -> None:
    """Keep the signatures under a checkpoint of ours that another bastion cosigned.

    Example: sparkctl ledger import-cosignature bastion-1.checkpoint.json
    """
    from sparkctl.app.ledger_checkpoint import take_cosignatures
    from sparkctl.app.places import places

    size, names = take_cosignatures(places(None, state).state, file, allowed_signers)
    say(form, f"the checkpoint over {size:,} entries is signed by {', '.join(names)}", size=size, signed_by=names)


@click.command()
@click.argument("seq", type=click.IntRange(1))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The proof to write.")
@with_state
@with_format
def prove(seq: int, out: Path, state: Path | None, form: str) -> None:
    """Write a proof that entry SEQ is in the ledger: entry, path, checkpoint and signatures in one JSON document.

    Example: sparkctl ledger prove 42 --out entry-42.proof.json
    """
    from sparkctl.app.ledger_file import write_document
    from sparkctl.app.ledger_proof import prove as make
    from sparkctl.app.places import places

    proof = make(places(None, state).state, seq)
    write_document(proof, out)
    words = f"{out}: entry {seq} under the checkpoint over {proof.checkpoint.size:,} entries"
    say(form, words, seq=seq, size=proof.checkpoint.size, file=str(out))


@click.command("verify-proof")
@click.argument("file", type=click.Path(path_type=Path))
@with_signers
@with_format
def verify_proof(file: Path, allowed_signers: Path | None, form: str) -> None:
    """Hold a proof against itself and who signed it. It needs no store, no network and no state; exit 4 if it fails.

    Example: sparkctl ledger verify-proof entry-42.proof.json --allowed-signers custody.signers
    """
    from sparkctl.app.ledger_file import read_document
    from sparkctl.app.ledger_proof import verify_proof as hold
    from sparkctl.model.ledger_checkpoint import LedgerProof

    found = hold(read_document(LedgerProof, file), str(file), allowed_signers)
    if form == "human":
        from sparkctl.report.ledger import proof_lines

        click.echo("\n".join(proof_lines(found)))
    else:
        click.echo(found.model_dump_json())
