"""OTLP as JSON: a line of metrics and a line of logs for each node, as the OTLP file exporter writes them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sparkctl import __version__
from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, Told, constant, flat
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.measures import FAMILIES, Family, Measure, measures
from sparkctl.export.node_fields import NODE_FIELDS, fact
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject

SCOPE = {"name": "sparkctl", "version": __version__}
_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}

RESOURCE_FIELDS: tuple[Field[Subject], ...] = (
    constant("service.name", "sparkctl"),
    Field("service.version", "(version of sparkctl)", lambda _: __version__),
    Field("host.id", "(key)", lambda s: s.uuid, "never machine-id, which clones share"),
    Field("host.name", "(inventory) name", lambda s: s.name),
    Field("host.arch", "os.architecture", lambda s: _ARCHITECTURES.get(s.fact("os.architecture"))),
    Field("host.type", "identity.smbios.product_name", lambda s: s.fact("identity.smbios.product_name")),
    Field("host.ip", "network.addresses", lambda s: [ip for _, ip, _ in s.addresses]),
    Field("host.mac", "identity.macs", lambda s: [m.replace(":", "-").upper() for m in s.macs().values()]),
    Field("os.type", "os.kernel.running", lambda s: "linux" if s.fact("os.kernel.running") else None),
    fact("os.name", "os.distribution.id"),
    fact("os.version", "os.distribution.version_id"),
    fact("os.description", "os.distribution.pretty_name"),
    *(
        Field(f"sparkctl.{field.target}", field.source, field.take, field.note)
        for field in NODE_FIELDS
        if field.target not in ("exported_at", "node", "uuid")
    ),
)
LOG_FIELDS: tuple[Field[Event], ...] = (
    Field("sparkctl.event.id", "(event) id", lambda e: e.id),
    Field("sparkctl.event.status", "(event) status", lambda e: e.status),
    Field("sparkctl.event.outcome", "(event) outcome", lambda e: e.outcome),
    Field("sparkctl.event.reason", "(event) reason", lambda e: e.reason),
    Field("sparkctl.event.action", "(event) action", lambda e: e.action),
    Field("sparkctl.finding.check", "(finding) check", lambda e: e.finding and e.finding.check),
    Field("sparkctl.finding.value", "(finding) value", lambda e: e.finding and e.finding.value),
    Field("sparkctl.finding.unit", "(finding) unit", lambda e: e.finding and e.finding.unit),
)
_RECORD_ROWS: tuple[Field[Event], ...] = (
    Field("timeUnixNano", "(event) at", lambda e: nanoseconds(e.at), "when it was so"),
    Field("observedTimeUnixNano", "(export)", lambda e: nanoseconds(e.subject.at)),
    Field("severityNumber", "(event) level", lambda e: SCALES[e.level].otlp, "0: nobody can tell"),
    Field("severityText", "(event) level", lambda e: e.level.value.upper()),
    Field("eventName", "(event) code", lambda e: e.code),
    Field("body", "(event) message", lambda e: any_value(e.message)),
)


def nanoseconds(moment: datetime) -> str:
    """Nanoseconds since 1970; numbers of 64 bits are text in this mapping."""
    whole = int(moment.timestamp())
    return str(whole * 1_000_000_000 + moment.microsecond * 1000)


def any_value(value: Any) -> dict[str, Any]:
    """A value with its kind, as OTLP has it; raises TypeError for what has none."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    raise TypeError(f"{type(value).__name__} has no place in OTLP")


def attributes(known: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Names and values as a list of attributes."""
    return [{"key": name, "value": any_value(value)} for name, value in known]


def _point(measure: Measure) -> dict[str, Any]:
    value = {"asInt": str(measure.value)} if isinstance(measure.value, int) else {"asDouble": measure.value}
    return {"attributes": attributes(measure.labels), "timeUnixNano": nanoseconds(measure.at), **value}


def _metric(family: Family, found: Iterable[Measure]) -> dict[str, Any]:
    return {
        "name": family.dotted,
        "description": family.help,
        "unit": family.unit,
        "gauge": {"dataPoints": [_point(measure) for measure in found]},
    }


def _log(event: Event) -> dict[str, Any]:
    head = {field.target: field.take(event) for field in _RECORD_ROWS}
    return {**head, "attributes": attributes(flat(LOG_FIELDS, event).items())}


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """The metrics of a node, then its logs."""
    resource = {"attributes": attributes(flat(RESOURCE_FIELDS, subject).items())}
    grouped = groupby(sorted(measures(subject), key=lambda one: one.family.name), key=lambda one: one.family)
    metrics = [_metric(family, found) for family, found in grouped]
    logs = [_log(event) for event in events(subject)]
    yield {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": SCOPE, "metrics": metrics}]}]}
    yield {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": SCOPE, "logRecords": logs}]}]}


def _row(family: Family) -> Told:
    return Told(family.dotted, family.source, f"{family.help} Unit {family.unit}.")


OTLP = Format(
    name="otlp",
    title="OTLP metrics and logs as JSON lines",
    target="OTLP 1, JSON",
    sections=(
        Section("The resource", "node", RESOURCE_FIELDS),
        Section("Metrics, all gauges", "node", tuple(map(_row, FAMILIES))),
        Section("A log record", "event", _RECORD_ROWS),
        Section("Its attributes", "event", LOG_FIELDS),
    ),
    pieces=line_for_each(records),
)
