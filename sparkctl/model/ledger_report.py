"""What `ledger verify` and `ledger verify-proof` found."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Sha256Hex, Text, Word
from sparkctl.model.ledger_checkpoint import Fingerprint


class Wrong(StrEnum):
    """What is wrong with a ledger."""

    EDITED = "edited"  # an entry is not what was entered
    REMOVED = "removed"  # entries are missing, and later ones are there
    INSERTED = "inserted"  # an entry stands where none was entered
    REORDERED = "reordered"  # an entry stands at another's place
    TRUNCATED = "truncated"  # a checkpoint knows entries that are not there any more
    REWRITTEN = "rewritten"  # the chain holds, and a checkpoint tells of another
    TIME = "time"  # an entry is older than the one before it
    SIGNATURE = "signature"  # a signature does not hold, or its key was not allowed to make it
    CHECKPOINT = "checkpoint"  # a checkpoint itself is damaged


class LedgerFinding(Record):
    """Something that is wrong. `seq` is the entry, `words` say what of it."""

    what: Wrong
    seq: int
    words: Text


class CheckpointFound(Record):
    """A checkpoint that holds, and who signed it. `from_file` is false for one of the store itself."""

    size: int
    root: Sha256Hex
    signed_by: list[Word]
    from_file: bool


class LedgerReport(Record):
    """Whether a ledger holds. `findings` are sorted, the first entry that is wrong first.

    `signed` counts entries with a signature that holds, by principal, or by fingerprint where no signers are named.
    `vouched` is the number of entries under a checkpoint that somebody allowed signed (0 without `--allowed-signers`):
    beyond it only the chain tells, and whoever can write the store could make it anew. `notes` say so in words.
    """

    report_schema: Annotated[Literal["sparkctl.ledger-report/1"], Field(alias="schema")] = "sparkctl.ledger-report/1"
    holds: bool
    entries: int
    last: Sha256Hex | None
    findings: list[LedgerFinding]
    signed: dict[Word, int]
    unsigned: int
    checkpoints: list[CheckpointFound]
    vouched: int
    notes: list[Text]


class ProofFound(Record):
    """A proof that holds: who signed the checkpoint, and who the entry; nobody by name without allowed signers."""

    found_schema: Annotated[Literal["sparkctl.ledger-proof-report/1"], Field(alias="schema")] = (
        "sparkctl.ledger-proof-report/1"
    )
    seq: int
    sha256: Sha256Hex
    origin: Word
    size: int
    root: Sha256Hex
    checkpoint_signed_by: list[Word]
    entry_signed_by: Word | None
    entry_fingerprint: Fingerprint | None
    names_checked: bool
