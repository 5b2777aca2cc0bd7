"""The page of one node in the report of a fleet: what is known of it, since when, and what is not."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import DottedCode, NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.bundle_page import Fact
from sparkctl.model.envelope import Count
from sparkctl.model.health import Finding
from sparkctl.model.reset_report import EndKind
from sparkctl.model.run import Failure
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.model.witnesses import BootId

MOST_FINDINGS, MOST_CHANGES, MOST_ENDS = 60, 12, 12
"""Of one node, so that no node makes a page as large as it likes."""


class NodeStatus(StrEnum):
    """What a node is to an operator, the most pressing first; silence is never `pass`."""

    REFUSED = "refused"  # we turned it down at the newest visit: host key or identity
    FAIL = "fail"  # a check failed in its newest answer, however old that is
    LOST = "lost"  # the newest visit brought no usable answer
    NEVER = "never"  # it was never judged
    STALE = "stale"  # its newest judgement is older than the limit
    WARN = "warn"  # a check warned
    UNKNOWN = "unknown"  # a required check could not be evaluated, or none was
    PASS = "pass"


class NodeChange(Record):
    """A check that came out otherwise than before, or a field of a facet; `at` is when that was first seen.

    `before` and `after` are null where there was or is nothing. `more` counts what changed with it and is not named.
    """

    at: UtcDatetime
    kind: Literal["check", "fact"]
    name: Text
    before: Text | None
    after: Text | None
    more: Count = 0


class PageEnd(Record):
    """The end of a boot between two moments by the bastion's clock, and what is claimed of it.

    `after` is the last contact with the boot that ended, `before` the first one with the next, or when that began as
    told by its uptime; each is null where there was none. `told` is `not_asked` where no run ever asked how it ended,
    and `cannot_be_known` where the answer was that nothing entails it; `kind` is null where it was not asked.
    `passed_over` says that boots may lie between the two, since we heard of none.
    """

    node: NodeId
    from_boot_id: BootId | None
    to_boot_id: BootId | None
    told: Literal["claimed", "cannot_be_known", "not_asked"]
    kind: EndKind | None
    words: Text
    claim: Text | None
    after: UtcDatetime | None
    before: UtcDatetime | None
    passed_over: bool


class PageGap(Record):
    """A field that could not be read when the facet was collected last."""

    facet: Word
    field: Text
    reason: UnknownReason


class Series(Record):
    """What one check read over time: a value for each moment of the report, null where nobody looked or it could not
    be read.
    """

    check: DottedCode
    unit: Word | None
    points: list[float | None]


class NodePage(Record):
    """One node: its status and why, its newest visit and answers with their moments, and what is to be said of it.

    `visited_at` is the newest visit of any kind and `failure` how that ended, where it brought no answer. `judged_at`
    and `reset_at` are when it answered for its health and for its resets, `facts_at` when the facet was seen that was
    seen longest ago. `passed` names checks with their values. `left_out` counts findings beyond those that are named.
    """

    page_schema: Annotated[Literal["sparkctl.node-page/1"], Field(alias="schema")] = "sparkctl.node-page/1"
    node_id: NodeId
    status: NodeStatus
    words: Text
    simulated: bool
    site: Word | None
    rack: Word | None
    unit: Word | None
    state: Word | None
    make: Text | None
    visited_at: UtcDatetime | None
    judged_at: UtcDatetime | None
    reset_at: UtcDatetime | None
    facts_at: UtcDatetime | None
    failure: Failure | None
    completeness: Annotated[float, Field(ge=0, le=1)] | None
    findings: Annotated[list[Finding], Field(max_length=MOST_FINDINGS)]
    left_out: Count
    passed: list[Text]
    not_applicable: list[DottedCode]
    facts: list[Fact]
    gaps: list[PageGap]
    never_collected: list[Word]
    changes: Annotated[list[NodeChange], Field(max_length=MOST_CHANGES)]
    ends: Annotated[list[PageEnd], Field(max_length=MOST_ENDS)]
    series: list[Series]
    warnings: list[Text]
