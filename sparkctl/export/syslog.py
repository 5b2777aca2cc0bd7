"""Syslog messages of RFC 5424, one on each line, with what is known as structured data."""

import re
from collections.abc import Iterable, Iterator

from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat
from sparkctl.export.format import Format
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject, iso

FACILITY = 16
"""local0."""
SD_ID = "sparkctl@32473"
"""32473 is the enterprise number that RFC 5612 keeps for documentation: there is no registered one for this program."""
BOM = "\ufeff"
_NOT_PRINTABLE_ASCII = re.compile(r"[^!-~]")
_ESCAPED = re.compile(r'([\\"\]])')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")

SD_FIELDS: tuple[Field[Event], ...] = (
    Field("id", "(event) id", lambda e: e.id),
    Field("node", "(inventory) name", lambda e: e.subject.name),
    Field("uuid", "(key)", lambda e: e.subject.uuid),
    Field("key", "(key)", lambda e: e.subject.key.value),
    Field("keySource", "(key)", lambda e: e.subject.key.source),
    Field("serial", "identity.serial", lambda e: e.subject.serial),
    Field("simulated", "(inventory) or (last visit)", lambda e: "true" if e.subject.simulated else "false"),
    Field("code", "(event) code", lambda e: e.code),
    Field("status", "(event) status", lambda e: e.status),
    Field("reason", "(event) reason", lambda e: e.reason),
    Field("value", "(finding) value", lambda e: text(e.finding.value) if e.finding else None),
    Field("unit", "(finding) unit", lambda e: e.finding and e.finding.unit),
    Field("action", "(event) action", lambda e: e.action),
)
HEADER_FIELDS: tuple[Field[Event], ...] = (
    Field("PRI", "(event) level", lambda e: FACILITY * 8 + SCALES[e.level].syslog, "facility local0"),
    constant("VERSION", "1"),
    Field("TIMESTAMP", "(event) at", lambda e: iso(e.at), "when it was so, by the bastion's clock"),
    Field("HOSTNAME", "(inventory) name", lambda e: word(e.subject.name, 255), "the node, not the bastion"),
    constant("APP-NAME", "sparkctl"),
    constant("PROCID", "-"),
    Field("MSGID", "(event) code", lambda e: word(e.code, 32), "cut to 32 characters, as the RFC has it"),
)
MESSAGE: Field[Event] = Field("MSG", "(event) message", lambda e: escape_controls(e.message), "UTF-8, after a BOM")


def text(value: object) -> str | None:
    """A scalar as text, None where there is none."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def word(value: str, limit: int) -> str:
    """A word of the header: printable ASCII only, never empty."""
    return _NOT_PRINTABLE_ASCII.sub("?", value)[:limit] or "-"


def escape_controls(value: str) -> str:
    """What would break a line, made visible."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def parameter(value: str) -> str:
    """The value of a structured data parameter: quote, backslash and closing bracket get a backslash."""
    return _ESCAPED.sub(r"\\\1", escape_controls(value))


def message(event: Event) -> str:
    """One message, without the end of its line."""
    head = flat(HEADER_FIELDS, event)
    known = " ".join(f'{name}="{parameter(str(value))}"' for name, value in flat(SD_FIELDS, event).items())
    pri, version, *rest = (str(head[field.target]) for field in HEADER_FIELDS)
    return f"<{pri}>{version} {' '.join(rest)} [{SD_ID} {known}] {BOM}{MESSAGE.take(event)}"


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    for subject in nodes:
        yield "".join(f"{message(event)}\n" for event in events(subject))


SYSLOG = Format(
    name="syslog",
    title="syslog messages with structured data",
    target="RFC 5424",
    sections=(
        Section("The header", "event", HEADER_FIELDS),
        Section(f"The structured data `[{SD_ID}]`", "event", SD_FIELDS),
        Section("The message", "event", (MESSAGE,)),
    ),
    pieces=_pieces,
)
