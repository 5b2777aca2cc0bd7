"""A plan: what a playbook would do to which nodes, in which order; its hash is what is approved."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.hashed import Hashed
from sparkctl.model.lifecycle import Phase
from sparkctl.model.playbook import Budget, Fidelity, OnFailure, PlaybookName, Risk, Step, StepId

Seconds = Annotated[int, Field(ge=0)]


class Effect(Record):
    """What one step would do to one node, how well that is known, and what speaks against it, if anything does."""

    step: StepId
    fidelity: Fidelity
    summary: Text
    argv: list[Text] = []
    objection: Text | None = None


class PlannedNode(Record):
    """A node of the plan: who it proved to be when the plan was made, and what would happen to it.

    `serial` is what the inventory enrols, or else what the node said; a node that says another is not touched.
    """

    node_id: NodeId
    unit: Word | None
    serial: Word | None
    boot_id: Word | None
    state: Word | None
    simulated: bool
    effects: list[Effect]


class LeftOut(Record):
    """A selected node that is not of the plan, and why."""

    node_id: NodeId
    why: Text


class Wave(Record):
    """Nodes that are treated together, units whole; `number` counts from 1."""

    number: Annotated[int, Field(ge=1)]
    node_ids: Annotated[list[NodeId], Field(min_length=1)]


class Plan(Hashed):
    """All that was decided before the first act. Durations are in seconds; `estimates` are of steps, by their ids.

    `control` are the nodes that others are held against. Nodes of one unit go from step to step together, if
    `whole_units`. `programs` are digests of what is sent to nodes. After `expires_at` nothing more begins.
    """

    plan_schema: Annotated[Literal["sparkctl.plan/1"], Field(alias="schema")] = "sparkctl.plan/1"
    run_id: Word
    playbook: PlaybookName
    playbook_sha256: Sha256Hex
    title: Text
    phase: Phase
    risk: Risk
    selector: Text
    parameters: dict[Word, Any]
    planned_at: UtcDatetime
    expires_at: UtcDatetime
    planned_by: Word
    approvals_needed: Annotated[int, Field(ge=0)]
    steps: list[Step]
    waves: list[Wave]
    control: list[NodeId]
    soak_s: Seconds
    at_once: Annotated[int, Field(ge=1)]
    budget: Budget
    on_failure: OnFailure
    windowed: bool
    whole_units: bool
    estimates: dict[StepId, Seconds]
    programs: dict[Word, Sha256Hex]
    nodes: Annotated[list[PlannedNode], Field(min_length=1)]
    left_out: list[LeftOut]

    @cached_property
    def sha256(self) -> str:
        """What approvals are over. It is asked for at every event, and a plan of a thousand nodes is long."""
        return super().sha256

    @property
    def simulated(self) -> bool:
        """Whether any of its nodes is."""
        return any(node.simulated for node in self.nodes)

    @property
    def node_s(self) -> int:
        """How long one node is expected to take, in seconds."""
        return sum(self.estimates.get(step.id, step.within_s) for step in self.steps)


class Approval(Record):
    """A signature over the hash of a plan. `signature` is armoured; who made it is found out anew when it counts."""

    plan_sha256: Sha256Hex
    fingerprint: Word
    principal: Text
    at: UtcDatetime
    signature: Annotated[str, Field(max_length=65536)]


def signed_text(plan_sha256: str) -> bytes:
    """What an approver signs: the hash in hexadecimal and a newline, so that any shell can make it."""
    return f"{plan_sha256}\n".encode("ascii")
