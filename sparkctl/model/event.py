"""Events: what leaves the bastion after a run, each with a key by which a receiver knows it again."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause

EVENT_SCHEMA = "sparkctl.event/1"


class EventKind(StrEnum):
    """What an event tells of."""

    RUN = "run"  # a run came to its end: its report
    VISIT = "visit"  # what came of one node in a run: its run record
    ALERT = "alert"  # an alert began, changed or ended
    DIGEST = "digest"  # what was so over a span of time
    PLAYBOOK = "playbook"  # what happened to a run of a playbook as a whole, or that it asks a person
    OUTBOX = "outbox"  # events that were dropped before a sink took them
    TEST = "test"  # nothing happened: somebody tries a sink


class EventSeverity(StrEnum):
    """How much an event matters, from least to most."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least, so that severities can be compared."""
        return list(EventSeverity).index(self)


def severity_of(cause: Cause) -> EventSeverity:
    """How much it matters that a visit brought no answer, by what ended it: exports say the same as sinks."""
    if cause in REFUSALS:
        return EventSeverity.CRITICAL
    return EventSeverity.WARNING if cause in CUT_SHORT else EventSeverity.ERROR


class Event(Record):
    """One thing that happened.

    `event_id` is the SHA-256 of what is told: the same whenever, and by whomever, the same is told again. A receiver
    that knows it already has the event. `at` is when it was so. `summary` is one line for people. `body` is the
    document that tells all of it, of the schema `body_schema`. `simulated` is what the body says.
    """

    event_schema: Annotated[Literal["sparkctl.event/1"], Field(alias="schema")] = "sparkctl.event/1"
    event_id: Sha256Hex
    at: UtcDatetime
    kind: EventKind
    severity: EventSeverity
    node_id: NodeId | None
    summary: Text
    simulated: bool
    body_schema: Word
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event on its way: what is known of it without reading the body, and the body as text.

    The body stays the text it was stored as, so that what is sent is what was hashed.
    """

    kind: EventKind
    severity: EventSeverity
    at: datetime
    node_id: str | None
    summary: str
    simulated: bool
    body_schema: str
    body: str
    body_sha256: str

    @property
    def event_id(self) -> str:
        """The key of the event: it follows from kind, node and body alone."""
        told = (EVENT_SCHEMA, self.kind.value, self.node_id or "", self.body_sha256)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    @property
    def json(self) -> str:
        """The event as one line of JSON, valid by the schema `event`."""
        head = json.dumps({
            "schema": EVENT_SCHEMA,
            "event_id": self.event_id,
            "at": moment(self.at),
            "kind": self.kind,
            "severity": self.severity,
            "node_id": self.node_id,
            "summary": self.summary,
            "simulated": self.simulated,
            "body_schema": self.body_schema,
        }, ensure_ascii=False, separators=(",", ":"))  # fmt: skip
        return f'{head[:-1]},"body":{self.body}}}'


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event, the names of the sinks that it goes to, and when it is put into the outbox."""

    told: Told
    sinks: tuple[str, ...]
    put_at: datetime


def told(
    kind: EventKind,
    body: str,
    *,
    severity: EventSeverity,
    at: datetime,
    summary: str,
    node_id: str | None = None,
    simulated: bool = False,
) -> Told:
    """An event of a document that is text already: a JSON object on one line that names its schema first."""
    return Told(
        kind=kind,
        severity=severity,
        at=at,
        node_id=node_id,
        summary=printable(f"[simulated] {summary}" if simulated else summary, 1000),
        simulated=simulated,
        body_schema=_schema_of(body),
        body=body,
        body_sha256=hashlib.sha256(body.encode()).hexdigest(),
    )


def _schema_of(body: str) -> str:
    """The schema that a document names; the first member, as ours are written, or else wherever it stands."""
    start = '{"schema":"'
    if body.startswith(start) and (end := body.find('"', len(start))) > 0:
        return body[len(start) : end]
    named = json.loads(body)["schema"]
    assert isinstance(named, str)  # noqa: S101 - every document of ours names its schema
    return named


def moment(when: datetime) -> str:
    """A moment as documents have it: RFC 3339 in UTC with a Z."""
    return when.isoformat().replace("+00:00", "Z")
