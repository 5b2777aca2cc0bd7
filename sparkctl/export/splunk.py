"""Events for Splunk's HTTP Event Collector, as its endpoint /services/collector/event takes them."""

from collections.abc import Iterator
from typing import Any

from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat, nested
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.node_fields import NODE_FIELDS
from sparkctl.export.subject import Subject

EVENT_FIELDS: tuple[Field[Event], ...] = (
    Field("time", "(event) at", lambda e: round(e.at.timestamp(), 3), "seconds since 1970, when it was so"),
    Field("host", "(inventory) name", lambda e: e.subject.name),
    constant("source", "sparkctl"),
    Field("sourcetype", "(event) kind", lambda e: f"sparkctl:{e.kind}", "`sparkctl:node`, `:finding`, `:reset`"),
    Field("event.id", "(event) id", lambda e: e.id, "the same for the same observation"),
    Field("event.code", "(event) code", lambda e: e.code),
    Field("event.status", "(event) status", lambda e: e.status),
    Field("event.severity", "(event) level", lambda e: e.level.value),
    Field("event.message", "(event) message", lambda e: e.message),
    Field("event.reason", "(event) reason", lambda e: e.reason),
    Field("event.action", "(event) action", lambda e: e.action),
    Field("event.value", "(finding) value", lambda e: e.finding and e.finding.value),
    Field("event.unit", "(finding) unit", lambda e: e.finding and e.finding.unit),
    Field("event.required", "(finding) required", lambda e: e.finding and e.finding.required),
    Field(
        "event.known", "(see A node)", lambda e: flat(NODE_FIELDS, e.subject) if e.kind == "node" else None,
        "in `sparkctl:node` only",
    ),
    Field("fields.node_uuid", "(key)", lambda e: e.subject.uuid),
    Field("fields.node_key", "(key)", lambda e: e.subject.key.value),
    Field("fields.node_key_source", "(key)", lambda e: e.subject.key.source),
    Field("fields.simulated", "(inventory) or (last visit)", lambda e: "true" if e.subject.simulated else "false"),
)  # fmt: skip


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """One HEC event for each event of a node."""
    return (nested(EVENT_FIELDS, event) for event in events(subject))


SPLUNK = Format(
    name="splunk",
    title="events for Splunk's HTTP Event Collector",
    target="Splunk HEC, JSON event protocol",
    sections=(Section("An event", "event", EVENT_FIELDS), Section("A node (`event.known`)", "node", NODE_FIELDS)),
    pieces=line_for_each(records),
)
