"""What became of an export: what was asked for, and of which nodes nothing or not all could be told."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count


class ExportReport(Record):
    """One export.

    `unknown` are nodes of which nothing is known, exported as such; `left_out` are not in the export, since the
    format has no words for a node that was never visited. Of the `stale` nodes something was seen longer ago than
    `max_age_s` (seconds), and left out. `simulated` counts nodes that are no real machines. `file` is where the export
    stands, null when it was printed.
    """

    report_schema: Annotated[Literal["sparkctl.export-report/1"], Field(alias="schema")] = "sparkctl.export-report/1"
    tool: Word
    target: Word
    at: UtcDatetime
    selector: Text
    selected: Count
    simulated: Count
    unknown: list[NodeId]
    stale: list[NodeId]
    left_out: list[NodeId]
    max_age_s: Annotated[int, Field(gt=0)] | None = None
    file: Text | None
    exit_code: Count
    exit_name: Word
