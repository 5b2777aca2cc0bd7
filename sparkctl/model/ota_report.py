"""The OTA state of many nodes, those that are alike together."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.facets.ota_score import OtaScore


class OtaState(Record):
    """Nodes with one verdict; `release` is what their release file says."""

    release: Word | None
    score: OtaScore
    nodes: Annotated[list[NodeId], Field(min_length=1)]


class OtaReport(Record):
    """The verdicts over the selected nodes. `uncollected` were never asked, `oldest` is when the oldest facts were.

    The facts of the `stale` nodes are older than `max_age_s` (seconds), so that nothing can be verified by them.
    """

    report_schema: Annotated[Literal["sparkctl.ota-report/1"], Field(alias="schema")] = "sparkctl.ota-report/1"
    tool: Word
    selector: Text
    selected: Count
    states: list[OtaState]
    uncollected: list[NodeId]
    max_age_s: Annotated[int, Field(gt=0)] | None = None
    stale: list[NodeId] = Field(default_factory=list)
    oldest: UtcDatetime | None
    exit_code: Count
    exit_name: Word
