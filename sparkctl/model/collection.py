"""The report of a collection: what was asked of which nodes, what could not be read, and what has changed."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Text, Word
from sparkctl.model.facets.base import FieldPath
from sparkctl.model.fleet_report import FleetReport
from sparkctl.model.vocabulary import UnknownReason


class FoldedGap(Record):
    """A field that could not be read, on the nodes where that was so for the same reason."""

    facet: Word
    path: FieldPath
    reason: UnknownReason
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    example: Text
    example_node: NodeId


class CollectReport(FleetReport):
    """One collection over many nodes; every selected node is either reported or among the failures."""

    report_schema: Annotated[Literal["sparkctl.collect-report/1"], Field(alias="schema")] = "sparkctl.collect-report/1"
    facets: list[Word]
    gaps: list[FoldedGap]
