"""Hold the book of custody against itself, against its checkpoints, and against those that lie elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from sparkctl.app.ledger_file import read_document
from sparkctl.errors import RefusedError
from sparkctl.evidence.chain import MOST_FINDINGS, Audited, audit
from sparkctl.evidence.checkpoint_audit import Held, judge, kept, notes_of
from sparkctl.evidence.custody import CustodyTrust
from sparkctl.model.ledger_checkpoint import CheckpointNote
from sparkctl.model.ledger_report import LedgerReport
from sparkctl.model.printable import printable
from sparkctl.store.ledger import LedgerSnapshot
from sparkctl.store.store import Store


def verify_ledger(state: Path, allowed_signers: Path | None, notes: Sequence[Path] = ()) -> LedgerReport:
    """Whether the ledger of a store holds; `notes` are files of checkpoints that lie elsewhere.

    Damage of every kind is a finding. Raises StoreError when there is no store, UsageError for a file that is none,
    RefusedError for a checkpoint of a ledger of another name.
    """
    trust = CustodyTrust(allowed_signers)
    files = [(path, read_document(CheckpointNote, path)) for path in notes]
    with Store.open(state, create=False) as store, store.ledger.snapshot() as snapshot:
        held, findings = kept(snapshot.checkpoints(), snapshot.origin)
        held += [_of_file(path, note, snapshot.origin) for path, note in files]
        audited = audit(snapshot.rows(), {one.checkpoint.size for one in held}, trust)
    judged = judge(held, audited, trust)
    findings = sorted([*audited.findings, *findings, *judged.findings], key=lambda one: one.seq)
    return LedgerReport(
        holds=not findings,
        entries=audited.entries,
        last=audited.last,
        findings=findings[:MOST_FINDINGS],
        signed=dict(audited.signed),
        unsigned=audited.unsigned,
        checkpoints=judged.found,
        vouched=judged.vouched,
        notes=notes_of(audited, judged, trust),
    )


def require_whole(snapshot: LedgerSnapshot) -> Audited:
    """What was found of a ledger that holds; raises RefusedError for any other, which nobody should sign."""
    trust = CustodyTrust(None)
    held, findings = kept(snapshot.checkpoints(), snapshot.origin)
    audited = audit(snapshot.rows(), {one.checkpoint.size for one in held}, trust)
    findings = [*audited.findings, *findings, *judge(held, audited, trust).findings]
    if findings:
        first = min(findings, key=lambda one: one.seq)
        raise RefusedError(
            f"the ledger does not hold: {first.words}", hint="nothing of it is signed; see `sparkctl ledger verify`"
        )
    return audited


def _of_file(path: Path, note: CheckpointNote, origin: str | None) -> Held:
    if origin is not None and note.checkpoint.origin != origin:
        raise RefusedError(
            f"{path} is a checkpoint of {note.checkpoint.origin}, and this ledger is called {printable(origin)}",
            hint="name a checkpoint of this ledger; if this is one, the name was changed in the store",
        )
    return Held(note.checkpoint, note.signatures, str(path))
