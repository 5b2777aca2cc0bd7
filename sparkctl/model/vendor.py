"""Documents of the vendor's manageability tools: four shapes under one name.

A: what the shipped tools print (`ok`, `data`, `errors`, `meta`). B: the record that an orchestrator writes around one.
C: the one line of a reference script for Landscape. D: the envelope of a community's fork. Fields that a shape does not
have are kept, since the vendor may add some; a field of another type than the shape's is no document of that shape.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sparkctl.model.base import PRINTABLE, UtcDatetime

Line = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=10_000)]
Name = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=120)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Items = Annotated[list[Line], Field(max_length=10_000)]


def _require_moment(text: str) -> str:
    datetime.strptime(text, "%Y%m%dT%H%M%S%z")
    return text


RunId = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}Z$"), AfterValidator(_require_moment)]
"""A moment in UTC in ISO 8601's basic form, as the scripts for Landscape name their runs."""


class VendorPart(BaseModel):
    """A document of the vendor or a part of one: no coercion and no NaN, but room for fields that it may add."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False, defer_build=True)


class VendorError(VendorPart):
    """An error as an object; tools on the older base write plain texts in its place."""

    code: Line
    message: Line
    detail: Line | None = None
    hint: Line | None = None
    severity: Literal["error", "warning"] | None = None


class ToolMeta(VendorPart):
    """Who wrote a document of shape A, and when: in seconds or in microseconds, as the tool's base has it."""

    tool: Name
    version: Name
    collected_at_utc: UtcDatetime
    artifacts: Items | None = None
    truncation: dict[str, Any] | None = None


class ToolOutput(VendorPart):
    """Shape A. `data` is null on most failures, and in part there on some."""

    ok: bool
    data: dict[str, Any] | None
    errors: Annotated[list[VendorError | Line], Field(max_length=10_000)]
    meta: ToolMeta


class OrchestratorRecord(VendorPart):
    """Shape B. `host` is a host's name or an asset id; `status` is `ok` or the class of a failure."""

    tool: Name
    ts: UtcDatetime
    host: Name
    status: Name
    rc: Whole
    duration_ms: Annotated[int, Field(ge=0, le=2**53)]
    summary: dict[str, Any]
    warnings: Annotated[list[Any], Field(max_length=10_000)] | None = None
    artifacts: Annotated[list[Any], Field(max_length=10_000)] | None = None


class ScriptLine(VendorPart):
    """Shape C: what all scripts have in common. What else stands there differs from script to script."""

    status: Literal["PASS", "FAIL", "UNKNOWN"]
    run_id: RunId
    fail_reasons: Items | None = None
    missing_optional: Items | None = None
    notes: Line | None = None

    @property
    def moment(self) -> datetime:
        """When the run began."""
        return datetime.strptime(self.run_id, "%Y%m%dT%H%M%S%z")


class DeviceId(VendorPart):
    """Whom a document of shape D is about."""

    serial: Line | None = None
    uuid: Line | None = None
    hostname: Line | None = None


class ForkOutput(VendorPart):
    """Shape D."""

    tool: Name
    timestamp: Line | None = None
    status: Literal["ok", "error", "partial"]
    data: dict[str, Any] | None
    evidence_path: Line | None = None
    tool_name: Line | None = None
    tool_version: Line | None = None
    timestamp_utc: UtcDatetime | None = None
    device_id: DeviceId | None = None
    summary: Line | None = None
    artifacts: Annotated[list[Any], Field(max_length=10_000)] | None = None
    errors: Annotated[list[VendorError | Line], Field(max_length=10_000)] | None = None


VendorDocument: TypeAlias = "ToolOutput | OrchestratorRecord | ScriptLine | ForkOutput"
ShapeName: TypeAlias = Literal["tool", "orchestrator", "script", "fork"]

SHAPES: dict[ShapeName, type[ToolOutput] | type[OrchestratorRecord] | type[ScriptLine] | type[ForkOutput]] = {
    "tool": ToolOutput,
    "orchestrator": OrchestratorRecord,
    "script": ScriptLine,
    "fork": ForkOutput,
}
"""The shapes by the names that records of ours give them, in the order in which they are tried."""
