"""The envelope: what every program on a node prints, once, on standard output."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from sparkctl.model.base import MAX_INTEGER, DottedCode, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.health import HealthData
from sparkctl.model.vocabulary import Elevation, Origin, Severity

Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class ErrorItem(Record):
    """Something the program could not do, or did with a reservation."""

    code: DottedCode
    message: Text
    detail: Text | None = None
    hint: Text | None = None
    severity: Severity


class NodeFacts(Record):
    """What a node says of itself; evidence to be compared, never an identity to be trusted.

    `serial` is null when it could not be read; `serial_source` then says why (for example `not_permitted`).
    """

    hostname: Word
    boot_id: Word | None
    serial: Word | None
    serial_source: Word
    product: Text | None


class Limits(Record):
    """The limits the program ran under: `seconds` of wall time and `bytes` of document."""

    seconds: Annotated[float, Field(gt=0)]
    bytes: Count


class Cost(Record):
    """What the program cost the node: wall and CPU time in milliseconds (children included), processes started,
    and bytes it read from commands and files. The bounds are far above what the limits of a run allow.
    """

    wall_ms: Annotated[int, Field(ge=0, le=10**9)]
    cpu_ms: Annotated[int, Field(ge=0, le=10**9)]
    children: Annotated[int, Field(ge=0, le=10**6)]
    bytes: Annotated[int, Field(ge=0, le=10**12)]


class Truncation(Record):
    """A part of the document that was dropped to keep it within its limit; `dropped` counts its items."""

    part: Word
    dropped: Count


class Clock(Record):
    """Whether the node's clock was synchronised; null when that could not be read."""

    synchronised: bool | None


class Meta(Record):
    """Who made the document, when, from which program text, under which limits and at which cost."""

    tool: Word
    version: Word
    document_schema: Annotated[Word, Field(alias="schema")]
    collected_at_utc: UtcDatetime
    node: NodeFacts
    program_sha256: Sha256Hex | None
    limits: Limits
    cost: Cost
    elevation: Elevation
    origin: Origin
    truncated: bool
    truncation: Annotated[list[Truncation], Field(max_length=100)]
    clock: Clock


DataT = TypeVar("DataT", bound=Record)


class Envelope(Record, Generic[DataT]):
    """Exactly `ok`, `data`, `errors`, `meta`. `ok` means that the program did its work, not that the node is well."""

    ok: bool
    data: DataT | None
    errors: Annotated[list[ErrorItem], Field(max_length=200)]
    meta: Meta


class HealthEnvelope(Envelope[HealthData]):
    """The envelope of `spark_diagctl health`."""
