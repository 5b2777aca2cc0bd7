"""The common ground of every document: strict, frozen, closed, and free of control characters."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

# Line separators, bidirectional overrides, invisible characters and fillers, annotations, tags: whatever could break a
# log line, or hide or reorder text on an operator's screen. No escape of what is above U+FFFF is common to the dialects
# of regular expressions that read the schemas, so that it stands for itself.
INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
# C0 and C1: what could move a cursor or colour a terminal.
CONTROLS = r"\u0000-\u001f\u007f-\u009f"
PRINTABLE = f"^[^{CONTROLS}{INVISIBLE}]*$"

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3)."""


class Record(BaseModel):
    """A document or a part of one: no coercion, no unknown keys, no NaN, no change after it was made."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True, defer_build=True
    )


def _require_utc(moment: datetime) -> datetime:
    if moment.utcoffset() != timedelta(0):
        raise ValueError("the time must be in UTC, with an offset of +00:00 or Z")
    return moment


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_require_utc)]
"""A moment with its zone, which is UTC."""

Word = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=120)]
"""One short printable name or value, 1 to 120 characters."""

MAX_TEXT = 1000

Text = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=MAX_TEXT)]
"""One printable line of at most 1,000 characters."""

DottedCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=80)]
"""A stable dotted identifier such as `disk.space`."""

Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

NodeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$")]
"""The name of a node in the inventory, 1 to 253 characters."""
