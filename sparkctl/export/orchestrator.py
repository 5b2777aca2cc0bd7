"""The record that the vendor's orchestration guide describes: what the newest visit to a node came to."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkctl.export.fields import Field, Section
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.subject import Subject
from sparkctl.model.run import RunRecord

NO_PROGRAM = 255
"""What stands for the exit status that there is none of, since the shape wants one: what ssh itself ends with then."""


def _of(name: str, note: str = "") -> Field[RunRecord]:
    take: Callable[[RunRecord], Any] = lambda record: getattr(record, name)  # noqa: E731 - a field takes a function
    return Field(name, f"(last visit) {name}", take, note)


def _summary(record: RunRecord) -> dict[str, str]:
    return {**record.summary, **({"simulated": "true"} if record.simulated else {})}


RECORD_FIELDS: tuple[Field[RunRecord], ...] = (
    _of("tool"),
    Field("ts", "(last visit) ts", lambda record: f"{record.ts:%Y-%m-%dT%H:%M:%SZ}", "UTC, whole seconds"),
    _of("host"),
    _of("status", "`ok`, or STAGE.CAUSE of what ended the visit"),
    Field(
        "rc",
        "(last visit) rc",
        lambda record: NO_PROGRAM if record.rc is None else record.rc,
        "255: no program ended",
    ),
    _of("duration_ms"),
    Field("summary", "(last visit) summary", _summary, "with `simulated: true` for a simulated node"),
    _of("warnings"),
    _of("artifacts"),
)
"""All of them are there in every record: that is the shape."""


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """The record of the newest visit; none for a node that was never visited, for which this shape has no words."""
    last = subject.standing.last
    if last is not None:
        whole = last.model_copy(update={"simulated": subject.simulated})
        yield {field.target: field.take(whole) for field in RECORD_FIELDS}


ORCHESTRATOR = Format(
    name="orchestrator",
    title="the vendor's orchestrator record",
    target="the vendor's orchestration guide",
    sections=(Section("A record", "node that was ever visited", RECORD_FIELDS),),
    pieces=line_for_each(records),
    of_unknown=False,
)
