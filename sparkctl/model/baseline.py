"""What nodes should be, and how they are otherwise."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.facets.base import FieldPath
from sparkctl.model.facets.difference import Kind


class Baseline(Record):
    """What is expected of every node it is held against.

    `facets` maps the names of facets to all that is expected of them: what a node has beyond that is drift. `ignore`
    names fields that are not compared, the facet's name first; `*` stands for any one name of a map, and what is below
    a field is ignored with it.
    """

    baseline_schema: Annotated[Literal["sparkctl.baseline/1"], Field(alias="schema")] = "sparkctl.baseline/1"
    made_at: UtcDatetime
    made_from: Text
    facets: Annotated[dict[Word, dict[str, JsonValue]], Field(min_length=1)]
    ignore: list[FieldPath] = []


class Drift(Record):
    """A field that is otherwise than expected, on the nodes where it is so in the same way.

    `expected` and `observed` are JSON values, null where nothing was expected or nothing was found. The value was first
    seen between `since` and `until`, the moments of the runs that saw it first on the first and on the last node.
    """

    facet: Word
    field: FieldPath
    kind: Kind
    expected: JsonValue
    observed: JsonValue
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    since: UtcDatetime
    until: UtcDatetime


class Unread(Record):
    """An expected field that could not be read, and why."""

    facet: Word
    field: FieldPath
    reason: Word
    nodes: Annotated[list[NodeId], Field(min_length=1)]


class Clone(Record):
    """A value that should be one machine's alone and stands on several."""

    field: FieldPath
    value: Text
    nodes: Annotated[list[NodeId], Field(min_length=2)]


class DriftReport(Record):
    """The selected nodes held against a baseline.

    `uncollected` are nodes of which some facet of the baseline was never read. Those of the `stale` are older
    than `max_age_s` (seconds): these nodes were not compared. `oldest` is when the oldest of the facts were collected.
    """

    report_schema: Annotated[Literal["sparkctl.drift-report/1"], Field(alias="schema")] = "sparkctl.drift-report/1"
    tool: Word
    at: UtcDatetime
    baseline: Text
    baseline_sha256: Sha256Hex
    signed_by: Text | None
    selector: Text
    selected: Count
    nodes: list[NodeId]
    compared: Count
    uncollected: list[NodeId]
    max_age_s: Annotated[int, Field(gt=0)] | None = None
    stale: list[NodeId] = []
    oldest: UtcDatetime | None
    drift: list[Drift]
    unread: list[Unread]
    clones: list[Clone]
    exit_code: Count
    exit_name: Word
