"""The report of a collection: what was asked of which nodes, what could not be read, and what has changed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.facets.base import FieldPath
from sparkctl.model.sweep import BastionCost, FoldedFailure, NodeWarning
from sparkctl.model.vocabulary import UnknownReason


class FoldedGap(Record):
    """A field that could not be read, on the nodes where that was so for the same reason."""

    facet: Word
    path: FieldPath
    reason: UnknownReason
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    example: Text
    example_node: NodeId


class CollectReport(Record):
    """One collection over many nodes; every selected node is either reported or among the failures."""

    report_schema: Annotated[Literal["sparkctl.collect-report/1"], Field(alias="schema")] = "sparkctl.collect-report/1"
    tool: Word
    run_id: Word
    started_at: UtcDatetime
    finished_at: UtcDatetime
    duration_ms: Count
    program_sha256: Sha256Hex
    selector: Text
    shard: Word | None
    resumes: Word | None
    facets: list[Word]
    selected: Count
    reported: Count
    unreported: Count
    interrupted: bool
    simulated: bool
    gaps: list[FoldedGap]
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
