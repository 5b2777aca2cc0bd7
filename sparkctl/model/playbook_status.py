"""How a run of a playbook stands: what people read while it goes on, and programs when it is over."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.control import ActId
from sparkctl.model.plan import LeftOut, Seconds
from sparkctl.model.playbook import PlaybookName, Risk

Count = Annotated[int, Field(ge=0)]


class RunStanding(StrEnum):
    """Where a run is between its plan and its end."""

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"  # no process drives it, and nothing is wrong with that
    HELD = "held"
    ASKING = "asking"
    ENDED = "ended"


class NodeStanding(Record):
    """One node of a run: its wave, how it stands, on which step, since when, and what was said last.

    `question` and `act` are there while a person is to answer.
    """

    node_id: NodeId
    unit: Word | None
    wave: Annotated[int, Field(ge=1)]
    control: bool
    status: Word
    step: Word | None
    steps_done: Count
    since: UtcDatetime | None
    summary: Text
    question: Text | None = None
    act: ActId | None = None


class PlaybookStatus(Record):
    """A run as it stands at a moment. `approved_by` are those whose signatures count; `next` is what to do about it."""

    status_schema: Annotated[Literal["sparkctl.playbook-status/1"], Field(alias="schema")] = (
        "sparkctl.playbook-status/1"
    )
    at: UtcDatetime
    run_id: Word
    playbook: PlaybookName
    title: Text
    risk: Risk
    plan_sha256: Sha256Hex
    planned_at: UtcDatetime
    expires_at: UtcDatetime
    standing: RunStanding
    why: Text
    next: Text
    holder: Text | None
    approved_by: list[Text]
    approvals_needed: Count
    wave: Count
    waves: Count
    steps: list[Word]
    node_s: Seconds
    counts: dict[Word, Count]
    nodes: list[NodeStanding]
    left_out: list[LeftOut]
    records: Count
    outcome: Word | None
    simulated: bool
