"""Documents in the Elastic Common Schema, one for each event. What it has no field for stands below `sparkctl`."""

from collections.abc import Iterator
from typing import Any

from sparkctl import __version__
from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat, nested
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.node_fields import NODE_FIELDS
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject, iso

ECS_VERSION = "9.0.0"
_TYPES = {"node": "info", "finding": "info", "reset": "end"}
_KINDS = {"node": "asset", "finding": "state", "reset": "event"}


def _tags(event: Event) -> list[str]:
    return ["sparkctl", *(["simulated"] if event.subject.simulated else [])]


def _of_node(path: str) -> Any:
    """Takes a field of a facet in an event about the node itself: the other events name the host and no more."""
    return lambda event: event.subject.fact(path) if event.kind == "node" else None


def _host_fact(target: str, path: str, note: str = "") -> Field[Event]:
    return Field(target, path, _of_node(path), note or "in events about the node itself")


def mac(value: str) -> str:
    """A MAC as RFC 7042 writes it."""
    return value.replace(":", "-").upper()


def _label(name: str) -> str:
    return name.replace(".", "_")


def _text(event: Event) -> str | None:
    if event.finding is None or event.finding.value is None:
        return None
    return str(event.finding.value)


FIELDS: tuple[Field[Event], ...] = (
    Field("@timestamp", "(event) at", lambda e: iso(e.at), "when it was so"),
    constant("ecs.version", ECS_VERSION),
    Field("message", "(event) message", lambda e: e.message),
    Field("tags", "(inventory) or (last visit)", _tags, "`simulated` for a simulated node"),
    Field(
        "labels", "(inventory) labels", lambda e: {_label(k): v for k, v in e.subject.node.labels.items()},
        "dots in names become `_`",
    ),
    Field("event.kind", "(event) kind", lambda e: _KINDS[e.kind]),
    constant("event.category", ["host"]),
    Field("event.type", "(event) kind", lambda e: [_TYPES[e.kind]]),
    Field("event.id", "(event) id", lambda e: e.id, "the same for the same observation: take it as `_id`"),
    Field("event.code", "(event) code", lambda e: e.code),
    Field("event.action", "(event) status", lambda e: f"{e.kind}-{e.status}"),
    Field("event.outcome", "(event) outcome", lambda e: e.outcome, "`unknown` for a node that did not answer"),
    Field("event.reason", "(event) reason", lambda e: e.reason),
    Field(
        "event.severity", "(event) level", lambda e: SCALES[e.level].ocsf or None,
        "1, 3 or 4; absent where nobody can tell",
    ),
    Field("event.created", "(export)", lambda e: iso(e.subject.at)),
    constant("event.module", "sparkctl"),
    Field("event.dataset", "(event) kind", lambda e: f"sparkctl.{e.kind}"),
    constant("event.provider", "sparkctl"),
    Field("log.level", "(event) level", lambda e: SCALES[e.level].word),
    Field("rule.id", "(finding) check", lambda e: e.finding and e.finding.check),
    Field("rule.category", "(finding) check", lambda e: e.finding and e.finding.check.partition(".")[0]),
    Field("host.name", "(inventory) name", lambda e: e.subject.name),
    Field("host.id", "(key)", lambda e: e.subject.uuid, "never machine-id, which clones share"),
    _host_fact("host.hostname", "identity.hostname"),
    _host_fact("host.architecture", "os.architecture"),
    Field(
        "host.ip",
        "network.addresses", lambda e: [ip for _, ip, _ in e.subject.addresses] if e.kind == "node" else None,
    ),
    Field(
        "host.mac",
        "identity.macs", lambda e: [mac(m) for m in e.subject.macs().values()] if e.kind == "node" else None,
    ),
    Field(
        "host.os.type",
        "os.kernel.running", lambda e: "linux" if e.kind == "node" and e.subject.fact("os.kernel.running") else None,
    ),
    _host_fact("host.os.platform", "os.distribution.id"),
    _host_fact("host.os.version", "os.distribution.version_id"),
    _host_fact("host.os.full", "os.distribution.pretty_name"),
    _host_fact("host.os.kernel", "os.kernel.running"),
    Field("device.id", "(key)", lambda e: e.subject.uuid),
    Field("device.serial_number", "identity.serial", lambda e: e.subject.serial if e.kind == "node" else None),
    _host_fact("device.manufacturer", "identity.smbios.sys_vendor"),
    _host_fact("device.model.identifier", "identity.smbios.product_name"),
    constant("observer.product", "sparkctl"),
    constant("observer.type", "fleet"),
    Field("observer.version", "(version of sparkctl)", lambda _: __version__),
    Field("sparkctl.key", "(key)", lambda e: e.subject.key.value),
    Field("sparkctl.key_source", "(key)", lambda e: e.subject.key.source),
    Field("sparkctl.simulated", "(inventory) or (last visit)", lambda e: e.subject.simulated),
    Field("sparkctl.status", "(event) status", lambda e: e.status),
    Field("sparkctl.action", "(event) action", lambda e: e.action),
    Field("sparkctl.value", "(finding) value", _text, "as text, for it is a number here and a word there"),
    Field("sparkctl.unit", "(finding) unit", lambda e: e.finding and e.finding.unit),
    Field("sparkctl.required", "(finding) required", lambda e: e.finding and e.finding.required),
    Field(
        "sparkctl.known", "(see A node)", lambda e: flat(NODE_FIELDS, e.subject) if e.kind == "node" else None,
        "in events about the node itself",
    ),
)  # fmt: skip


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """One document for each event of a node."""
    return (nested(FIELDS, event) for event in events(subject))


ECS = Format(
    name="ecs",
    title="documents in the Elastic Common Schema",
    target=f"ECS {ECS_VERSION}",
    sections=(Section("A document", "event", FIELDS), Section("A node (`sparkctl.known`)", "node", NODE_FIELDS)),
    pieces=line_for_each(records),
)
