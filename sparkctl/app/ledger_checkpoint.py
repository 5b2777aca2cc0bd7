"""Checkpoints of the book of custody: made here, handed to other bastions, cosigned there, and taken back."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from sparkctl.app.ledger import who_is_here
from sparkctl.app.ledger_file import read_document
from sparkctl.app.ledger_verify import require_whole
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import merkle
from sparkctl.evidence.checkpoint_audit import Held, signed_by
from sparkctl.evidence.custody import CustodyTrust, signature_over
from sparkctl.model.ledger import SEEN_KIND, EvidenceRef, LedgerEntry, LedgerFact
from sparkctl.model.ledger_checkpoint import MAX_CONSISTENCY, Checkpoint, CheckpointNote, Consistency
from sparkctl.model.printable import printable
from sparkctl.store.ledger import Ledger
from sparkctl.store.store import Store

_FORK = "keep both files: one of them is of a ledger that was changed"


def make_checkpoint(state: Path, key: Path | None, origin: str | None, now: datetime) -> CheckpointNote:
    """A checkpoint over all entries, kept in the store, and signed where there is a key.

    `origin` names a ledger that has no name yet; else it is this host's. Raises RefusedError when the ledger does not
    hold, UsageError when it is empty, has another name, or the key cannot sign.
    """
    with Store.open(state, create=False) as store:
        ledger = store.ledger
        named = ledger.name(origin or printable(socket.gethostname(), 120) or "localhost")
        if origin is not None and named != origin:
            raise UsageError(f"this ledger is {named}", hint="a name stays: leave --origin out")
        with ledger.snapshot() as snapshot:
            audited = require_whole(snapshot)
            hashed = [merkle.leaf(row.body) for row in snapshot.rows()]
        if not hashed or audited.last is None:
            raise UsageError("the ledger is empty", hint="there is nothing to make a checkpoint of yet")
        kept = ledger.checkpoint(len(hashed))
        made = kept[0] if kept else _checkpoint(named, hashed, audited.last, now)
        ledger.keep_checkpoint(made, [signature_over(made.canonical, key)] if key else [])
        return CheckpointNote(checkpoint=made, signatures=_kept(ledger, made.size).signatures)


def with_proofs(state: Path, note: CheckpointNote, since: Sequence[int] = ()) -> CheckpointNote:
    """A checkpoint with proofs that it follows from the newest ones before it, or from those of the sizes `since`."""
    size = note.checkpoint.size
    with Store.open(state, create=False) as store:
        earlier = since or store.ledger.checkpoint_sizes()
        with store.ledger.snapshot() as snapshot:
            hashed = [merkle.leaf(row.body) for _, row in zip(range(size), snapshot.rows(), strict=False)]
    wanted = sorted({each for each in earlier if 1 <= each < size})[-MAX_CONSISTENCY:]
    tree = merkle.levels(hashed)
    proofs = [Consistency(size=each, path=[one.hex() for one in merkle.consistency(tree, each)]) for each in wanted]
    return note.model_copy(update={"consistency": proofs})


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint with our signature, and the size of the one that was seen before it, None for the first."""

    note: CheckpointNote
    before: int | None
    signed_by: list[str]


def cosign(state: Path, file: Path, key: Path, *, allowed_signers: Path | None, first: bool, now: datetime) -> Cosigned:
    """Sign a checkpoint of another ledger if it follows from the last one of it that was seen here.

    That it was seen is an entry of our own ledger, which is there before the signature is. Raises RefusedError for one
    that does not follow, for a ledger of which none was seen unless it is the `first`, and for one that nobody signed.
    """
    note = read_document(CheckpointNote, file)
    names = require_signed(Held(note.checkpoint, note.signatures, str(file)), CustodyTrust(allowed_signers))
    seen: list[Checkpoint] = []

    def look(entries: Iterator[LedgerEntry]) -> LedgerFact | None:
        last = _last_seen(entries, note.checkpoint.origin)
        seen.extend([last] if last else [])
        _require_following(file, note, last, first=first)
        return None if last is not None and last.size == note.checkpoint.size else _seen(note.checkpoint)

    with Store.open(state) as store:
        store.ledger.add_after(look, SEEN_KIND, now)
    ours = signature_over(note.checkpoint.canonical, key)
    signatures = [one for one in note.signatures if one.fingerprint != ours.fingerprint]
    return Cosigned(note.model_copy(update={"signatures": [*signatures, ours]}), seen[0].size if seen else None, names)


def take_cosignatures(state: Path, file: Path, allowed_signers: Path | None) -> tuple[int, list[str]]:
    """Keep the signatures under a checkpoint of ours that comes back; its size, and who signed it.

    Raises RefusedError when it is not a checkpoint of ours, or a signature does not hold.
    """
    note = read_document(CheckpointNote, file)
    names = require_signed(Held(note.checkpoint, note.signatures, str(file)), CustodyTrust(allowed_signers))
    with Store.open(state, create=False) as store:
        kept = store.ledger.checkpoint(note.checkpoint.size)
        if kept is None or kept[0] != note.checkpoint:
            raise RefusedError(
                f"{file} is no checkpoint that was made here", hint="was it made by another bastion, or changed?"
            )
        store.ledger.keep_checkpoint(note.checkpoint, note.signatures)
    return note.checkpoint.size, names


def require_signed(held: Held, trust: CustodyTrust) -> list[str]:
    """Who signed a checkpoint. Raises RefusedError when a signature does not hold, or nobody who is allowed to did."""
    names, wrong = signed_by(held, trust)
    if wrong:
        raise RefusedError(wrong[0].words, hint="it was changed after it was signed")
    if not names:
        whom = f"by nobody in {trust.allowed_signers}" if trust.allowed_signers and held.signatures else "by nobody"
        raise RefusedError(f"{held.named} is signed {whom}", hint="find out whose it is before you trust it")
    return names


def _checkpoint(origin: str, hashed: Sequence[bytes], last: str, now: datetime) -> Checkpoint:
    return Checkpoint(origin=origin, size=len(hashed), root=merkle.root(hashed).hex(), last=last, at=now)


def _kept(ledger: Ledger, size: int) -> CheckpointNote:
    kept = ledger.checkpoint(size)
    assert kept is not None  # noqa: S101 - it was kept a moment ago, and nothing of the ledger is ever let go
    return CheckpointNote(checkpoint=kept[0], signatures=kept[1])


def _last_seen(entries: Iterator[LedgerEntry], origin: str) -> Checkpoint | None:
    """The largest checkpoint of a ledger that our own ledger says was seen."""
    last: Checkpoint | None = None
    for entry in entries:
        if entry.facts.get("origin") != origin:
            continue
        try:
            one = Checkpoint.model_validate({**entry.facts, "at": entry.at})
        except ValidationError as error:
            raise RefusedError(
                f"entry {entry.seq} should tell of a checkpoint of {origin}, and does not",
                hint="see `sparkctl ledger verify`",
            ) from error
        if last is None or one.size > last.size:
            last = one
    return last


def _seen(checkpoint: Checkpoint) -> LedgerFact:
    return LedgerFact(
        kind=SEEN_KIND,
        actor=who_is_here(),
        summary=f"checkpoint of {checkpoint.origin} over {checkpoint.size} entries",
        facts={
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
            "last": checkpoint.last,
        },
        evidence=[EvidenceRef(name="checkpoint", sha256=checkpoint.sha256)],
    )


def _require_following(file: Path, note: CheckpointNote, last: Checkpoint | None, *, first: bool) -> None:
    new = note.checkpoint
    if last is None:
        if not first:
            raise RefusedError(
                f"no checkpoint of {new.origin} was ever seen here",
                hint="if it is the first of that ledger, and you know whose it is, say --first",
            )
        return
    if new.size < last.size:
        raise RefusedError(
            f"{file} covers {new.size} entries of {new.origin}, and {last.size} were seen here before: it is old, or"
            " the ledger was cut",
            hint=f"ask for a checkpoint over {last.size} entries or more",
        )
    if new.size == last.size and new.root == last.root:
        return
    proof = next((one for one in note.consistency if one.size == last.size), None)
    if proof is None and new.size > last.size:
        raise RefusedError(
            f"{file} has no proof that it follows from the {last.size} entries of {new.origin} that were seen here",
            hint=f"have it exported again: sparkctl ledger checkpoint --export FILE --since {last.size}",
        )
    old, root = bytes.fromhex(last.root), bytes.fromhex(new.root)
    path = [bytes.fromhex(one) for one in proof.path] if proof else []
    if not merkle.is_consistent(last.size, old, new.size, root, path):
        raise RefusedError(
            f"{file} does not follow from the checkpoint of {new.origin} over {last.size} entries that was seen here:"
            " the ledger was forked or changed",
            hint=_FORK,
        )
