"""The ledger of custody: what happened to a machine, by whom, on what evidence; entries are a chain."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import MAX_INTEGER, NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.hashed import Hashed

GENESIS = "0" * 64
"""What stands for the entry before the first."""

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*\.[a-z][a-z_]*$", max_length=40)]
"""What happened, as `lifecycle.moved` or `custody.handed_over`."""

Scalar = Text | Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)] | bool | None

NAMESPACE = "spark-custody"
"""What an OpenSSH signature is for: one made for anything else does not hold here."""

KINDS_BY_PEOPLE = (
    "custody.received",
    "custody.handed_over",
    "custody.moved",
    "custody.stored",
    "custody.inspected",
    "custody.shipped",
    "custody.destroyed",
    "custody.note",
)
"""What a person may enter by hand. All else is entered by what does it."""

SEEN_KIND = "checkpoint.seen"
"""That a checkpoint of another ledger was seen and follows from the one seen before; its facts say which."""


class EvidenceRef(Record):
    """A document that an entry rests on: what it is, and the digest that it must have."""

    name: Text
    sha256: Sha256Hex


class LedgerFact(Record):
    """What is to be entered. `actor` is who says so (`user@host`, a principal, or `playbook RUN`).

    `node_id` and `serial` say of which machine, as far as that is known. `facts` are what happened in particular.
    """

    kind: Kind
    node_id: NodeId | None = None
    serial: Word | None = None
    actor: Word
    summary: Text
    facts: dict[Word, Scalar] = {}
    evidence: Annotated[list[EvidenceRef], Field(max_length=100)] = []
    simulated: bool = False


class LedgerEntry(LedgerFact, Hashed):
    """An entry: a fact with its place (`seq` counts from 1), its moment, and the digest of the entry before it."""

    entry_schema: Annotated[Literal["sparkctl.ledger-entry/1"], Field(alias="schema")] = "sparkctl.ledger-entry/1"
    seq: Annotated[int, Field(ge=1)]
    at: UtcDatetime
    previous: Sha256Hex


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the ledger as it stands on disk, whoever wrote it there; `seq` is None where that is no number."""

    seq: int | None
    sha256: str
    kind: str
    node_id: str | None
    body: bytes
    signature: str | None


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint as it stands on disk: JSON, if nobody changed it."""

    size: int | None
    body: bytes
    signatures: bytes


def entered(fact: LedgerFact, *, seq: int, at: UtcDatetime, previous: str) -> LedgerEntry:
    """A fact as the entry at a place."""
    return LedgerEntry(**fact.model_dump(), seq=seq, at=at, previous=previous)
