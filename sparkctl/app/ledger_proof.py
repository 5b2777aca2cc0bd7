"""Prove that an entry is in the book of custody, to somebody who has nothing but the proof."""

from pathlib import Path

from sparkctl.app.ledger_checkpoint import require_signed
from sparkctl.app.ledger_verify import require_whole
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import merkle
from sparkctl.evidence.checkpoint_audit import Held
from sparkctl.evidence.custody import CustodyTrust
from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.ledger_checkpoint import LedgerProof
from sparkctl.model.ledger_report import ProofFound
from sparkctl.store.store import Store


def prove(state: Path, seq: int) -> LedgerProof:
    """The proof of an entry under the newest checkpoint.

    Raises UsageError when there is no such entry, or no checkpoint over it yet; RefusedError when the ledger does not
    hold.
    """
    with Store.open(state, create=False) as store:
        kept = store.ledger.checkpoint()
        with store.ledger.snapshot() as snapshot:
            audited = require_whole(snapshot)
            if not 1 <= seq <= audited.entries:
                raise UsageError(f"there is no entry {seq}", hint=f"there are {audited.entries}")
            if kept is None or kept[0].size < seq:
                covered = f"the newest covers {kept[0].size} entries" if kept else "there is none"
                raise UsageError(
                    f"no checkpoint covers entry {seq}: {covered}",
                    hint="make one: sparkctl ledger checkpoint --key KEY",
                )
            checkpoint, signatures = kept
            rows = [row for _, row in zip(range(checkpoint.size), snapshot.rows(), strict=False)]
    tree = merkle.levels([merkle.leaf(row.body) for row in rows])
    return LedgerProof(
        entry=LedgerEntry.model_validate_json(rows[seq - 1].body),
        signature=rows[seq - 1].signature,
        path=[one.hex() for one in merkle.proof(tree, seq - 1)],
        checkpoint=checkpoint,
        signatures=signatures,
    )


def verify_proof(proof: LedgerProof, named: str, allowed_signers: Path | None) -> ProofFound:
    """Hold a proof against itself and, with allowed signers, against who signed its checkpoint and its entry.

    Raises RefusedError when it does not hold, when nobody who is allowed to signed the checkpoint, or when the entry
    bears a signature that does not count.
    """
    entry, checkpoint = proof.entry, proof.checkpoint
    if not _leads_to_root(proof):
        raise RefusedError(
            f"{named} does not hold: entry {entry.seq} does not lead to the root over {checkpoint.size} entries",
            hint="the entry, the path or the checkpoint was changed",
        )
    trust = CustodyTrust(allowed_signers)
    names: list[str] = []
    if proof.signatures or allowed_signers is not None:
        names = require_signed(Held(checkpoint, proof.signatures, named), trust)
    by = None
    if proof.signature is not None:
        by = trust.signing(entry.canonical, proof.signature, entry.at, f"entry {entry.seq} in {named}")
    return ProofFound(
        seq=entry.seq,
        sha256=entry.sha256,
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        checkpoint_signed_by=names,
        entry_signed_by=by.principal if by else None,
        entry_fingerprint=by.fingerprint if by else None,
        names_checked=allowed_signers is not None,
    )


def _leads_to_root(proof: LedgerProof) -> bool:
    if proof.entry.seq > proof.checkpoint.size:
        return False
    path = [bytes.fromhex(one) for one in proof.path]
    leaf = merkle.leaf(proof.entry.canonical)
    try:
        root = merkle.root_by_proof(leaf, proof.entry.seq - 1, proof.checkpoint.size, path)
    except ValueError:
        return False
    return root.hex() == proof.checkpoint.root
