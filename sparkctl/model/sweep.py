"""The sweep report: the whole run on one page."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import DottedCode, NodeId, Record, Text, Word
from sparkctl.model.envelope import Count
from sparkctl.model.fleet_report import FleetReport
from sparkctl.model.vocabulary import Status, UnknownReason


class FoldedFinding(Record):
    """One check that came out alike on a set of nodes; `example` is the summary of `example_node`.

    Summaries are alike when they differ in nothing but figures.
    """

    check: DottedCode
    status: Status
    reason: UnknownReason | None
    required: bool
    nodes: list[NodeId]
    example: Text
    example_node: NodeId
    action: Text | None


class SweepReport(FleetReport):
    """What was asked, who answered, who did not and why, and what needs hands.

    `worst` counts reported nodes by their worst evaluated status; `none` are nodes where nothing could be evaluated.
    `not_fully_judged` counts those of the status `none`, and those of the status `pass` with a required check unknown.
    """

    report_schema: Annotated[Literal["sparkctl.sweep-report/1"], Field(alias="schema")] = "sparkctl.sweep-report/1"
    worst: dict[Word, Count]
    not_fully_judged: Count
    completeness: Annotated[float, Field(ge=0, le=1)]
    findings: list[FoldedFinding]
