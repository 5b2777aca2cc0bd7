"""The life of a machine, from the order to its disposal: the words for it, and what is told of one node."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import DottedCode, NodeId, Record, Sha256Hex, Text, UtcDatetime, Word

MOVED = "lifecycle.moved"
"""The kind of a ledger entry that says that a machine came into another state: facts `from`, `to`, `reason`."""

EVIDENCE_ADDED = "evidence.added"
"""The kind of a ledger entry that says what document there is of a machine: fact `evidence`, and one reference."""

CUSTODY_RECEIVED = "custody.received"
"""The kind of a ledger entry that says that a machine was taken in."""


CERTIFICATE_ISSUED = "certificate.issued"
"""The kind of a ledger entry that says that a certificate of sanitisation was issued: fact `method`."""


class LifecycleState(StrEnum):
    """Where a machine is in its life."""

    UNRECORDED = "unrecorded"
    EXPECTED = "expected"
    CANCELLED = "cancelled"
    RECEIVED = "received"
    QUARANTINED = "quarantined"
    ACCEPTED = "accepted"
    PROVISIONING = "provisioning"
    IN_SERVICE = "in_service"
    MAINTENANCE = "maintenance"
    INCIDENT = "incident"
    RETIRING = "retiring"
    ERASE_FAILED = "erase_failed"
    SANITISED = "sanitised"
    DESTROYED = "destroyed"
    DISPOSED = "disposed"
    RETURNED = "returned"
    LOST = "lost"


class Phase(StrEnum):
    """The six phases of a life, as the folders of playbooks are called."""

    PROCUREMENT = "procurement"
    PROVISIONING = "provisioning"
    MONITORING = "monitoring"
    MAINTENANCE = "maintenance"
    INCIDENT = "incident"
    RETIREMENT = "retirement"


class Risk(StrEnum):
    """Who may make a move: one operator, or two persons, of whom one approves and the other moves."""

    ROUTINE = "routine"
    TWO_PERSONS = "two_persons"


class UnitRule(StrEnum):
    """What a move of one node means for the node that is cabled to it.

    `alone`: nothing. `together`: it moves too. `dissolved`: there must be none, the unit is taken apart first.
    """

    ALONE = "alone"
    TOGETHER = "together"
    DISSOLVED = "dissolved"


class HeldEvidence(Record):
    """A document that the ledger knows of a node: its kind, its name, its digest, and who entered it when (`seq`)."""

    kind: DottedCode
    name: Text
    sha256: Sha256Hex
    at: UtcDatetime
    by: Word
    seq: Annotated[int, Field(ge=1)]


class Move(Record):
    """A move as the ledger has it; `left` and `entered` are words of states, whatever version wrote them."""

    seq: Annotated[int, Field(ge=1)]
    at: UtcDatetime
    by: Word
    left: Word
    entered: Word
    reason: Text


class Need(Record):
    """What a move needs: a kind of evidence, the newest of it that counts (null: it is missing), how to provide it."""

    kind: DottedCode
    words: Text
    held: HeldEvidence | None
    how: Text


class NextMove(Record):
    """A move that is possible from here; `waits_for` are the kinds of evidence that are missing.

    `blocked` says what else is in its way, null when nothing is.
    """

    to: LifecycleState
    phase: Phase
    risk: Risk
    unit: UnitRule
    needs: list[Need]
    waits_for: list[DottedCode]
    blocked: Text | None


class _OfNode(Record):
    """What both documents about a node begin with."""

    node_id: NodeId
    state: LifecycleState
    since: UtcDatetime | None
    by: Word | None
    unit: Word | None
    inventory: Word | None
    differs: bool
    simulated: bool


class NodeState(_OfNode):
    """The state of one node, brief. `since` and `by` are null where the ledger has no move of it.

    `inventory` is what the inventory calls its state; where it differs, the ledger is right.
    """

    state_schema: Annotated[Literal["sparkctl.node-state/1"], Field(alias="schema")] = "sparkctl.node-state/1"


class NodeLifecycle(_OfNode):
    """All that is known of the life of one node, and what each next move waits for.

    `enrolled` is the serial in the inventory, `observed` the one that was collected last. `partner` is the node that is
    cabled to it, `partner_state` its state. `troubles` are entries of the ledger that do not fit together.
    """

    lifecycle_schema: Annotated[Literal["sparkctl.node-lifecycle/1"], Field(alias="schema")] = (
        "sparkctl.node-lifecycle/1"
    )
    enrolled: Word | None
    observed: Word | None
    partner: NodeId | None
    partner_state: LifecycleState | None
    moves: list[Move]
    evidence: list[HeldEvidence]
    next_moves: list[NextMove]
    troubles: list[Text]
