"""The Common Event Format, version 0 (ArcSight's implementation standard, revision 25 of 2017)."""

import re
from collections.abc import Iterable, Iterator

from sparkctl import __version__
from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat
from sparkctl.export.format import Format
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject, milliseconds

_CONTROLS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u0085\u2028\u2029]")


def address(subject: Subject) -> str | None:
    """The first IPv4 address of a node."""
    return next((ip for _, ip, _ in subject.addresses if "." in ip), None)


def measured(event: Event) -> str | None:
    """The value of a finding with its unit."""
    if event.finding is None or event.finding.value is None:
        return None
    return f"{event.finding.value} {event.finding.unit or ''}".rstrip()


HEADER_FIELDS: tuple[Field[Event], ...] = (
    constant("CEF version", "CEF:0"),
    constant("Device Vendor", "sparkctl", "the name of this program, which has no vendor"),
    constant("Device Product", "sparkctl"),
    Field("Device Version", "(version of sparkctl)", lambda _: __version__),
    Field("Device Event Class ID", "(event) code", lambda e: e.code),
    Field("Name", "(event) title", lambda e: e.title),
    Field("Severity", "(event) level", lambda e: SCALES[e.level].cef, "`Unknown` where nobody can tell"),
)
EXTENSION_FIELDS: tuple[Field[Event], ...] = (
    Field("externalId", "(event) id", lambda e: e.id),
    Field("rt", "(event) at", lambda e: milliseconds(e.at), "milliseconds since 1970, when it was so"),
    Field("cat", "(event) kind", lambda e: e.kind),
    Field("outcome", "(event) outcome", lambda e: e.outcome, "`success`, `failure` or `unknown`"),
    Field("reason", "(event) reason", lambda e: e.reason),
    Field("msg", "(event) message", lambda e: e.message[:1023], "cut to 1,023 characters, as the standard has it"),
    Field("dvchost", "(inventory) name", lambda e: e.subject.name[:100]),
    Field("deviceExternalId", "(key)", lambda e: e.subject.uuid),
    Field("dvc", "network.addresses", lambda e: address(e.subject), "the first IPv4 address"),
    Field("cs1", "(key)", lambda e: e.subject.key.value),
    Field("cs1Label", "(key)", lambda e: f"key from {e.subject.key.source}"),
    Field("cs2", "(event) status", lambda e: e.status),
    constant("cs2Label", "status"),
    Field("cs3", "(inventory) or (last visit)", lambda e: "true" if e.subject.simulated else "false"),
    constant("cs3Label", "simulated"),
    Field("cs4", "(event) action", lambda e: e.action),
    Field("cs4Label", "(event) action", lambda e: "action" if e.action else None),
    Field("cs5", "(finding) value", measured),
    Field("cs5Label", "(finding) value", lambda e: "value" if measured(e) else None),
)


def header(value: str) -> str:
    """A field of the header: backslash and pipe get a backslash, and no line ends there."""
    return one_line(value).replace("\\", "\\\\").replace("|", "\\|")


def extension(value: str) -> str:
    """A value of the extension: backslash and equals sign get a backslash, ends of lines are written `\\n`, `\\r`."""
    escaped = _CONTROLS.sub(" ", value).replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def one_line(value: str) -> str:
    """A text without what might end a line."""
    return _CONTROLS.sub(" ", value).replace("\n", " ").replace("\r", " ")


def message(event: Event) -> str:
    """One event, without the end of its line."""
    head = "|".join(header(str(field.take(event))) for field in HEADER_FIELDS)
    known = flat(EXTENSION_FIELDS, event)
    return f"{head}|" + " ".join(f"{name}={extension(str(value))}" for name, value in known.items())


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    for subject in nodes:
        yield "".join(f"{message(event)}\n" for event in events(subject))


CEF = Format(
    name="cef",
    title="the Common Event Format",
    target="CEF version 0",
    sections=(
        Section("The header", "event", HEADER_FIELDS),
        Section("The extension", "event", EXTENSION_FIELDS),
    ),
    pieces=_pieces,
)
