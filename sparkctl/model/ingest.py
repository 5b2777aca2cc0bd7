"""The record of one document of the vendor's: what it is, whom it is about, what became of each of its fields."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.facets.base import FieldPath
from sparkctl.model.facets.difference import Kind
from sparkctl.model.vendor import ShapeName

MAX_LISTED = 2000


class Mapped(Record):
    """`count` fields at one place of the document, and the fields of facets that they mean.

    In both, `*` stands for names of things, and `[]` for the rows of a list.
    """

    source: Text
    fields: Annotated[list[FieldPath], Field(min_length=1)]
    count: Count


class NotTaken(Record):
    """`count` fields at one place of the document that are known and not taken, and why."""

    source: Text
    reason: Text
    count: Count


class Unknown(Record):
    """`count` fields at one place that the shape or the tool does not have as far as we know, with all below them."""

    source: Text
    count: Count


class Refusal(Record):
    """Why a document is none of the vendor's; `shapes` says why it is not of each shape that was tried."""

    cause: Word
    message: Text
    shapes: dict[ShapeName, Text] = {}


class SaidError(Record):
    """An error as the document tells it; `code` is null for one that is a plain text."""

    code: Text | None
    message: Text
    severity: Word | None


class About(Record):
    """The node that a document is about, null where that cannot be told, and how we know, or why not.

    `simulated` is the inventory's word on that node.
    """

    node_id: NodeId | None
    by: Literal["option", "serial", "hostname"] | None
    why: Text
    simulated: bool = False


class Said(Record):
    """What a document says about itself.

    `failed` when it says `ok: false`, FAIL, UNKNOWN, an error, or a return code that is not 0; `status` in its own
    words. `errors` are the first 200. `payload_bytes` are those between the marks that follow a document, null without
    marks.
    """

    shape: ShapeName
    tool: Word | None
    version: Word | None
    at: UtcDatetime | None
    status: Word
    failed: bool
    errors: list[SaidError]
    payload_bytes: Count | None


class Otherwise(Record):
    """A field of which the document says otherwise than what we collected; null on our side: we found nothing."""

    facet: Word
    field: FieldPath
    kind: Kind
    collected: JsonValue
    document: JsonValue


class NotCompared(Record):
    """A field of the document that we could not read, or whose facet we never collected."""

    facet: Word
    field: FieldPath
    reason: Text


class Comparison(Record):
    """The document held against what was collected of its node, over the fields that the document has.

    `collected_at` is when that facet was seen last that was seen longest ago, null where none was ever collected.
    """

    node_id: NodeId
    collected_at: UtcDatetime | None
    compared: Count
    differences: list[Otherwise]
    not_compared: list[NotCompared]


class IngestRecord(Record):
    """One document, or a file that could not be read.

    `line` is where it begins in its file, from 1. `said` is null where it was refused. `facets` maps the names of
    facets to their data as far as the document tells it. `unlisted` counts places beyond the 2,000 that each of the
    lists holds.
    """

    record_schema: Annotated[Literal["sparkctl.ingest/1"], Field(alias="schema")] = "sparkctl.ingest/1"
    tool: Word
    source: Text
    line: Count
    size_bytes: Count | None
    sha256: Sha256Hex | None
    refusal: Refusal | None
    said: Said | None
    about: About | None
    facets: dict[Word, dict[str, JsonValue]]
    mapped: Annotated[list[Mapped], Field(max_length=MAX_LISTED)]
    not_taken: Annotated[list[NotTaken], Field(max_length=MAX_LISTED)]
    unknown: Annotated[list[Unknown], Field(max_length=MAX_LISTED)]
    unlisted: Count
    comparison: Comparison | None
    exit_code: Count
    exit_name: Word
