"""The report of a fleet: what needs hands today and how we know, what we could not see, and how old everything is."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sparkctl.model.base import DottedCode, NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.baseline import Clone
from sparkctl.model.envelope import Count
from sparkctl.model.fleet_report import FoldedFailure
from sparkctl.model.health import Threshold
from sparkctl.model.node_page import NodeStatus, PageEnd
from sparkctl.model.sweep import FoldedFinding
from sparkctl.model.vocabulary import UnknownReason

AGES: tuple[tuple[str, int | None], ...] = (
    ("1h", 3600), ("1d", 86400), ("7d", 7 * 86400), ("30d", 30 * 86400), ("older", None),
)  # fmt: skip
"""Bins of ages by their names, each up to so many seconds."""


class OpenAlert(Record):
    """An alert that was told and is not over: what, where, since when, what to do."""

    title: Text
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    since: UtcDatetime
    words: Text
    action: Text | None


class Hand(Record):
    """One thing that needs hands, or is to be watched, on the nodes where it is so alike.

    `title` is a check, or the cause of a failure. `example` are the words of `example_node`. `known_by` is how that was
    found: where it was read, against which bounds; `provenance` is where those come from. It was seen between
    `first_seen` and `last_seen`.
    """

    status: NodeStatus
    title: Text
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    example: Text
    example_node: NodeId
    action: Text | None
    known_by: Text
    provenance: Text | None
    first_seen: UtcDatetime | None
    last_seen: UtcDatetime | None


class RunGoingOn(Record):
    """A run that has not ended: how many of its nodes are stored, and who is not yet."""

    run_id: Word
    kind: Word
    selector: Text
    started_at: UtcDatetime
    selected: Count
    recorded: Count
    waiting: list[NodeId]


class OldestAnswer(Record):
    """The node of those ever judged that was judged longest ago."""

    node: NodeId
    at: UtcDatetime


class PageCoverage(Record):
    """What the page rests on: who answered at the newest visit, who did not and why, and what was not evaluated.

    `never_visited` are the unreported nodes that no run of this store ever came to. `completeness` is the mean
    of that of the newest judgements, null when there are none.
    """

    selected: Count
    reported: Count
    unreported: Count
    failures: list[FoldedFailure]
    never_visited: list[NodeId]
    required_unevaluated: list[FoldedFinding]
    completeness: Annotated[float, Field(ge=0, le=1)] | None
    oldest: OldestAnswer | None
    running: list[RunGoingOn]


class Cell(Record):
    """One node in the grid and in the table of nodes."""

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
    notable: list[DottedCode]


class FoldedChange(Record):
    """The same change on several nodes, first seen between `since` and `until`; the rest as `NodeChange` has it."""

    kind: Literal["check", "fact"]
    name: Text
    before: Text | None
    after: Text | None
    more: Count
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    since: UtcDatetime
    until: UtcDatetime


class FoldedDrift(Record):
    """A field that is otherwise than the baseline of the state folder says, on the nodes where it is so alike."""

    field: Text
    expected: Text | None
    observed: Text | None
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    since: UtcDatetime
    until: UtcDatetime


class AgainstBaseline(Record):
    """The fleet held against the baseline; `not_compared` are nodes without the facets that it speaks of."""

    baseline: Text
    made_at: UtcDatetime
    compared: Count
    not_compared: list[NodeId]
    drift: list[FoldedDrift]
    left_out: Count


class Band(Record):
    """A value over the nodes that have one at one moment: least, tenth, half, nine tenths, most."""

    nodes: Annotated[int, Field(ge=1)]
    least: float
    lower: float
    middle: float
    upper: float
    most: float


class TrendLine(Record):
    """One node that stands out, with its newest value; in a small fleet every node."""

    node: NodeId
    latest: float
    latest_at: UtcDatetime
    points: list[float | None]


class Trend(Record):
    """One value over time, over the nodes; a band for each moment of the report, null where nobody has a value.

    `readings` counts the values that it rests on, `nodes` the nodes that have any.
    """

    check: DottedCode
    title: Text
    unit: Word | None
    threshold: Threshold | None
    nodes: Count
    readings: Count
    bands: list[Band | None]
    named: list[TrendLine]


class VersionOf(Record):
    """One value of a field and who has it; `why` there is none, where there is none. `makes` are those of the nodes."""

    value: Text | None
    why: Text | None
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    makes: list[Text]


class Distribution(Record):
    """The values that a field has over the fleet, the most frequent first; `left_out` are nodes with rarer ones."""

    title: Text
    part: Word
    values: list[VersionOf]
    left_out: Count


class AgeOf(Record):
    """How old one kind of knowledge is over the fleet: nodes by the bins of their ages, and who has the oldest."""

    what: Word
    bins: dict[Word, Count]
    never: Count
    newest: UtcDatetime | None
    middle: UtcDatetime | None
    oldest: UtcDatetime | None
    oldest_node: NodeId | None


class LostFields(Record):
    """A field that could not be read on some nodes, and why."""

    field: Text
    reason: UnknownReason
    nodes: Annotated[list[NodeId], Field(min_length=1)]


class FleetPage(Record):
    """All selected nodes as the store knows them at `made_at`; no node was asked for it.

    A judgement older than `max_age_s` counts as stale. Changes, ends of boots and trends reach back to `since`.
    `moments` are those of every trend. `simulated` counts nodes that the inventory calls so. Each of `statuses` is a
    number of nodes, and together they are all that were selected.
    """

    page_schema: Annotated[Literal["sparkctl.fleet-page/1"], Field(alias="schema")] = "sparkctl.fleet-page/1"
    tool: Word
    made_at: UtcDatetime
    selector: Text
    max_age_s: Annotated[int, Field(gt=0)]
    since: UtcDatetime
    simulated: Count
    statuses: dict[NodeStatus, Count]
    alerts: list[OpenAlert]
    hands: list[Hand]
    watch: list[Hand]
    coverage: PageCoverage
    cells: list[Cell]
    against_baseline: AgainstBaseline | None
    clones: list[Clone]
    changes: list[FoldedChange]
    changes_left_out: Count
    ends: list[PageEnd]
    ends_left_out: Count
    moments: list[UtcDatetime]
    trends: list[Trend]
    versions: list[Distribution]
    unread: list[LostFields]
    ages: list[AgeOf]
    exit_code: Count
    exit_name: Word

    @model_validator(mode="after")
    def _nobody_is_missing(self) -> "FleetPage":
        seen = self.coverage
        if not seen.selected == seen.reported + seen.unreported == len(self.cells) == sum(self.statuses.values()):
            raise ValueError("selected must equal reported + unreported, and every node has one status and one cell")
        return self
