"""The Log Event Extended Format, version 2.0, with tabs between attributes."""

import re
from collections.abc import Iterable, Iterator

from sparkctl import __version__
from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat
from sparkctl.export.format import Format
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject, iso

TIME_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSX"
"""The pattern of Java's SimpleDateFormat by which `devTime` is read."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")

HEADER_FIELDS: tuple[Field[Event], ...] = (
    constant("LEEF version", "LEEF:2.0"),
    constant("Vendor", "sparkctl"),
    constant("Product", "sparkctl"),
    Field("Version", "(version of sparkctl)", lambda _: __version__),
    Field("EventID", "(event) code", lambda e: e.code),
    constant("Delimiter", "x09", "a tab"),
)
ATTRIBUTE_FIELDS: tuple[Field[Event], ...] = (
    Field("devTime", "(event) at", lambda e: iso(e.at), "when it was so"),
    constant("devTimeFormat", TIME_FORMAT),
    Field("cat", "(event) kind", lambda e: e.kind),
    Field("sev", "(event) level", lambda e: SCALES[e.level].leef, "1 to 10; absent where nobody can tell"),
    Field("identHostName", "(inventory) name", lambda e: e.subject.name),
    Field("resource", "(inventory) name", lambda e: e.subject.name),
    Field("eventId", "(event) id", lambda e: e.id),
    Field("nodeUuid", "(key)", lambda e: e.subject.uuid),
    Field("nodeKey", "(key)", lambda e: e.subject.key.value),
    Field("nodeKeySource", "(key)", lambda e: e.subject.key.source),
    Field("simulated", "(inventory) or (last visit)", lambda e: "true" if e.subject.simulated else "false"),
    Field("status", "(event) status", lambda e: e.status),
    Field("reason", "(event) reason", lambda e: e.reason),
    Field("value", "(finding) value", lambda e: e.finding and e.finding.value),
    Field("unit", "(finding) unit", lambda e: e.finding and e.finding.unit),
    Field("action", "(event) action", lambda e: e.action),
    Field("msg", "(event) message", lambda e: e.message),
)


def attribute(value: object) -> str:
    """A value without tabs and ends of lines, for which this format has no escape; an equals sign does no harm."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _CONTROLS.sub(" ", text)


def message(event: Event) -> str:
    """One event, without the end of its line."""
    head = "|".join(attribute(field.take(event)).replace("|", "/") for field in HEADER_FIELDS)
    known = flat(ATTRIBUTE_FIELDS, event)
    return f"{head}|" + "\t".join(f"{name}={attribute(value)}" for name, value in known.items())


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    for subject in nodes:
        yield "".join(f"{message(event)}\n" for event in events(subject))


LEEF = Format(
    name="leef",
    title="the Log Event Extended Format",
    target="LEEF version 2.0",
    sections=(
        Section("The header", "event", HEADER_FIELDS),
        Section("The attributes", "event", ATTRIBUTE_FIELDS),
    ),
    pieces=_pieces,
)
