"""Checkpoints of the ledger: a root over its first entries, who signed it, and proofs that lead to it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Sha256Hex, UtcDatetime, Word
from sparkctl.model.hashed import Hashed
from sparkctl.model.ledger import LedgerEntry

MAX_SIGNATURES = 50
MAX_CONSISTENCY = 100
MAX_PATH = 128
"""Hashes of a proof: a tree of 2**63 leaves needs 63, and a proof of consistency one or two more."""

Armoured = Annotated[
    str,
    StringConstraints(
        pattern=r"^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n$", max_length=16384
    ),
]
"""A signature as `ssh-keygen -Y sign` writes it."""

Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
"""The fingerprint of a public key as `ssh-keygen -l` prints it."""

Path = Annotated[list[Sha256Hex], Field(max_length=MAX_PATH)]


class Checkpoint(Hashed):
    """The root (RFC 6962, section 2.1) over the first `size` entries of the ledger that is named `origin`.

    `last` is the digest of the last of these entries. What is signed is this as RFC 8785 writes it.
    """

    checkpoint_schema: Annotated[Literal["sparkctl.ledger-checkpoint/1"], Field(alias="schema")] = (
        "sparkctl.ledger-checkpoint/1"
    )
    origin: Word
    size: Annotated[int, Field(ge=1)]
    root: Sha256Hex
    last: Sha256Hex
    at: UtcDatetime


class CustodySignature(Record):
    """A signature in the namespace `spark-custody`, and the fingerprint of the key that made it."""

    fingerprint: Fingerprint
    signature: Armoured


class Consistency(Record):
    """A proof (RFC 6962, section 2.1.2) that the first `size` entries are still the first ones."""

    size: Annotated[int, Field(ge=1)]
    path: Path


class CheckpointNote(Record):
    """A checkpoint as it is handed to other bastions: with its signatures, and proofs from earlier ones."""

    note_schema: Annotated[Literal["sparkctl.ledger-checkpoint-note/1"], Field(alias="schema")] = (
        "sparkctl.ledger-checkpoint-note/1"
    )
    checkpoint: Checkpoint
    signatures: Annotated[list[CustodySignature], Field(max_length=MAX_SIGNATURES)]
    consistency: Annotated[list[Consistency], Field(max_length=MAX_CONSISTENCY)] = []


class LedgerProof(Record):
    """Proof that an entry is in the ledger: from it a path of hashes leads to the root of a signed checkpoint.

    `signature` is that of the entry itself, if it has one.
    """

    proof_schema: Annotated[Literal["sparkctl.ledger-proof/1"], Field(alias="schema")] = "sparkctl.ledger-proof/1"
    entry: LedgerEntry
    signature: Armoured | None
    path: Path
    checkpoint: Checkpoint
    signatures: Annotated[list[CustodySignature], Field(max_length=MAX_SIGNATURES)]
