"""The run record: what the bastion writes about one visit to one node."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sparkctl.model.base import NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.control import ControlEnvelope
from sparkctl.model.envelope import Count, HealthEnvelope
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.vocabulary import Cause, Outcome, Stage

AnyEnvelope = HealthEnvelope | FactsEnvelope | ResetEnvelope | BundleEnvelope | ControlEnvelope
"""What a node may answer."""


class Failure(Record):
    """Why a node is unreported: how far the visit came, what ended it, what was seen, and what to do next.

    `attempts` counts connections tried; running a program is never tried twice.
    """

    stage: Stage
    cause: Cause
    message: Text
    hint: Text | None = None
    attempts: Annotated[int, Field(ge=0)] = 1


class Visit(Record):
    """What the visit itself cost and proved: milliseconds per stage, bytes each way, and the host key that was used.

    `noise_bytes` counts what the login printed around the document.
    """

    stages_ms: dict[Stage, Count]
    sent_bytes: Count
    received_bytes: Count
    noise_bytes: Count
    host_key: Word | None


class RunRecord(Record):
    """One visit to one node; a superset of the record the vendor's orchestration guide describes.

    `ts` is when the visit began. `simulated` is what the inventory says. `status` is `ok`, or
    `stage.cause` of the failure. `summary` gives the worst status of each group of checks, how each facet was read, or
    what is claimed of how the newest boot ended.
    """

    record_schema: Annotated[Literal["sparkctl.run-record/1"], Field(alias="schema")] = "sparkctl.run-record/1"
    tool: Word
    ts: UtcDatetime
    host: Text
    status: Word
    rc: int | None
    duration_ms: Count
    summary: dict[Word, Word]
    warnings: list[Text]
    artifacts: list[Text]
    run_id: Word
    node_id: NodeId
    outcome: Outcome
    simulated: bool
    visit: Visit | None
    envelope: AnyEnvelope | None
    failure: Failure | None

    @model_validator(mode="after")
    def _is_result_or_failure(self) -> Self:
        reported = self.outcome is Outcome.REPORTED
        if reported != (self.envelope is not None) or reported == (self.failure is not None):
            raise ValueError("a reported node has an envelope and no failure; an unreported one the reverse")
        return self
