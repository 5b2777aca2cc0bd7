"""What the reports of all runs over a fleet have in common: who was asked, who did not answer and why, what it cost."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.vocabulary import Cause, Stage


class FoldedFailure(Record):
    """One way in which a set of nodes did not report; `example` is the message of `example_node`."""

    stage: Stage
    cause: Cause
    nodes: list[NodeId]
    example: Text
    example_node: NodeId
    hint: Text | None


class NodeWarning(Record):
    """Something about one node that is not a finding: a host key accepted unseen, detail that was dropped."""

    node_id: NodeId
    message: Text


class BastionCost(Record):
    """What the run cost the bastion, all its processes together: CPU seconds, and the sum of their peak resident memory
    in bytes.
    """

    cpu_s: Annotated[float, Field(ge=0)]
    peak_rss_bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What a run is when it begins, as the store notes it and the report repeats it.

    `selected` is how many nodes; the rest is that of the report.
    """

    run_id: str
    tool: str
    started_at: datetime
    selector: str
    program_sha256: str
    selected: int
    shard: str | None = None
    resumes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What is known of a run when it is over; `duration_ms` is by a clock that nobody sets."""

    finished_at: datetime
    duration_ms: int
    cost: BastionCost


class FleetReport(Record):
    """One run over many nodes; every selected node is either reported or among the failures.

    `shard` is the part of the selection that was asked (`3/8`). `resumes` names the run that this one took up; nodes
    that had reported there count as reported here.
    """

    report_schema: Annotated[Word, Field(alias="schema")]
    tool: Word
    run_id: Word
    started_at: UtcDatetime
    finished_at: UtcDatetime
    duration_ms: Count
    program_sha256: Sha256Hex
    selector: Text
    shard: Word | None
    resumes: Word | None
    selected: Count
    reported: Count
    unreported: Count
    interrupted: bool
    simulated: bool
    failures: list[FoldedFailure]
    warnings: list[NodeWarning]
    node_cpu_ms: Count
    received_bytes: Count
    cost: BastionCost
    exit_code: Count
    exit_name: Word

    @model_validator(mode="after")
    def _nobody_is_missing(self) -> Self:
        if self.selected != self.reported + self.unreported:
            raise ValueError("selected must equal reported + unreported")
        return self
