"""Do the checkpoints of a ledger hold, and how far does somebody vouch for it?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from sparkctl.errors import RefusedError
from sparkctl.evidence.chain import Audited
from sparkctl.evidence.custody import CustodyTrust
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.ledger import CheckpointRow
from sparkctl.model.ledger_checkpoint import Checkpoint, CustodySignature
from sparkctl.model.ledger_report import CheckpointFound, LedgerFinding, Wrong
from sparkctl.model.printable import printable

_SIGNATURES = TypeAdapter(list[CustodySignature])


@dataclass(frozen=True, slots=True)
class Held:
    """A checkpoint to hold the entries against; `from_file` names the file of one that is not of the store."""

    checkpoint: Checkpoint
    signatures: Sequence[CustodySignature]
    from_file: str | None = None

    @property
    def named(self) -> str:
        """The checkpoint in words."""
        words = f"the checkpoint over {self.checkpoint.size} entries"
        return f"{words} in {printable(self.from_file)}" if self.from_file else words


def kept(rows: Iterable[CheckpointRow], origin: str | None) -> tuple[list[Held], list[LedgerFinding]]:
    """The checkpoints of the ledger `origin` in its store, and what is wrong with those that are none."""
    held, findings = [], []
    for row in rows:
        try:
            one = Checkpoint.model_validate_json(row.body)
            signatures = _SIGNATURES.validate_json(row.signatures)
        except ValidationError:
            findings.append(_damaged(row.size or 0, "is no checkpoint any more, or its signatures are none"))
            continue
        if one.canonical != row.body or one.size != row.size:
            findings.append(_damaged(row.size or 0, "is not what was written there"))
        elif one.origin != origin:
            called = printable(origin or "nothing")
            findings.append(_damaged(one.size, f"is of {one.origin}, and this ledger is called {called}"))
        else:
            held.append(Held(one, signatures))
    return held, findings


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checkpoints tell: those that hold, what is wrong, and up to which entry somebody allowed vouches."""

    found: list[CheckpointFound]
    findings: list[LedgerFinding]
    vouched: int


def judge(held: Iterable[Held], audited: Audited, trust: CustodyTrust) -> Judged:
    """Hold what was found of the entries against checkpoints; those over an entry that is wrong are left out."""
    found: list[CheckpointFound] = []
    findings: list[LedgerFinding] = []
    vouched = good = 0
    for one in sorted(held, key=lambda each: each.checkpoint.size):
        size = one.checkpoint.size
        names, wrong = signed_by(one, trust)
        findings += wrong
        if wrong or (audited.broken_at is not None and size >= audited.broken_at):
            continue
        if (finding := _against(one, audited, good)) is not None:
            findings.append(finding)
            continue
        good = size
        found.append(
            CheckpointFound(size=size, root=one.checkpoint.root, signed_by=names, from_file=one.from_file is not None)
        )
        if names and trust.allowed_signers is not None:
            vouched = size
    return Judged(found, findings, vouched)


def signed_by(one: Held, trust: CustodyTrust) -> tuple[list[str], list[LedgerFinding]]:
    """Who signed a checkpoint, as far as they are allowed to, and which signatures are not over it at all."""
    names, findings = [], []
    content, anybody = one.checkpoint.canonical, CustodyTrust(None)
    for each in one.signatures:
        try:
            found = anybody.signing(content, each.signature, one.checkpoint.at, one.named)
        except RefusedError as error:
            findings.append(
                LedgerFinding(what=Wrong.CHECKPOINT, seq=one.checkpoint.size, words=printable(error.message, MAX_TEXT))
            )
            continue
        if found.fingerprint != each.fingerprint:
            findings.append(_damaged(one.checkpoint.size, f"says that {each.fingerprint} signed it, and another did"))
        elif (name := _name(content, each, one, trust)) is not None:
            names.append(name)
    return list(dict.fromkeys(names)), findings


def _name(content: bytes, each: CustodySignature, one: Held, trust: CustodyTrust) -> str | None:
    try:
        return trust.signing(content, each.signature, one.checkpoint.at, one.named).name
    except RefusedError:  # of somebody who is not allowed to vouch, which takes nothing from those who are
        return None


def _against(one: Held, audited: Audited, good: int) -> LedgerFinding | None:
    size = one.checkpoint.size
    if size > audited.entries:
        lost = audited.entries + 1
        words = f"entry {lost} is missing" if lost == size else f"entries {lost} to {size} are missing"
        return LedgerFinding(what=Wrong.TRUNCATED, seq=lost, words=f"{words} at the end: {one.named} knows them")
    prefix = audited.prefixes[size]
    if prefix.root != one.checkpoint.root:
        words = f"entry {size} was" if good + 1 == size else f"one of the entries {good + 1} to {size} was"
        doubt = "" if one.signatures else ", or the checkpoint was, which nobody signed"
        words = f"{words} changed, and all digests after it made anew{doubt}: {one.named} has another root"
        return LedgerFinding(what=Wrong.REWRITTEN, seq=good + 1, words=words)
    if prefix.last != one.checkpoint.last:
        return _damaged(size, "names another last entry than its root has")
    return None


def _damaged(size: int, words: str) -> LedgerFinding:
    return LedgerFinding(what=Wrong.CHECKPOINT, seq=size, words=f"the checkpoint over {size} entries {words}")


def notes_of(audited: Audited, judged: Judged, trust: CustodyTrust) -> list[str]:
    """What could not be told, in words."""
    notes = []
    last = max((one.size for one in judged.found), default=0)
    if not judged.found:
        notes.append(
            "no checkpoint tells of this ledger: if entries were taken from its end, or all of it made anew, nothing"
            " here can show it; make one with `sparkctl ledger checkpoint --key KEY` and have it cosigned"
        )
    elif last < audited.entries and audited.broken_at is None:
        first = last + 1
        words = f"entry {first} is" if first == audited.entries else f"entries {first} to {audited.entries} are"
        notes.append(f"{words} under no checkpoint: only the chain tells of them, and nothing tells if more followed")
    if judged.found and not any(one.from_file for one in judged.found):
        notes.append(
            "all checkpoints are this store's own, and whoever can write it can take them away: name one that lies"
            " elsewhere with --checkpoint FILE"
        )
    if trust.allowed_signers is None and (audited.signed or any(one.signed_by for one in judged.found)):
        notes.append("whose signatures these are was not asked: name --allowed-signers FILE")
    return notes
