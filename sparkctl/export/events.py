"""What happened to nodes, as one event each: a visit, a finding, the end of a boot. Event formats are made of these."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sparkctl.export.severity import LEVEL_OF, Level
from sparkctl.export.subject import Subject, iso
from sparkctl.model.event import severity_of
from sparkctl.model.health import Finding
from sparkctl.model.reset import Transition
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Status

OUTCOMES: dict[Status, str] = {Status.PASS: "success", Status.WARN: "failure", Status.FAIL: "failure"}
"""Whether a check found what it should; what is not here is unknown."""

EVENT_KINDS: tuple[tuple[str, str], ...] = (
    ("node.reported, node.unreported, node.never_visited", "one for each node: its newest visit, answered or not"),
    ("health.CHECK", "one for each newest finding that applies to the node, passed or not, so that alerts can close"),
    ("reset.end", "one for each node whose last boot's end was asked for"),
)
"""The codes of events, and when there is one."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was so at a moment; `id` is the same for the same observation however often it is exported."""

    kind: Literal["node", "finding", "reset"]
    subject: Subject
    at: datetime
    id: str
    code: str
    title: str
    message: str
    status: str
    level: Level
    outcome: str
    finding: Finding | None = None
    transition: Transition | None = None

    @property
    def record(self) -> RunRecord | None:
        """The visit that it was seen in."""
        standing = self.subject.standing
        return {"node": standing.last, "finding": standing.health, "reset": standing.reset}[self.kind]

    @property
    def reason(self) -> str | None:
        """Why it is unknown, or why a node did not report."""
        if self.finding is not None:
            return self.finding.reason.value if self.finding.reason else None
        if self.kind == "node" and self.record is not None and self.record.failure is not None:
            return self.record.status
        return None

    @property
    def action(self) -> str | None:
        """What a person should do."""
        if self.finding is not None:
            return self.finding.action
        if self.kind == "node" and self.record is not None and self.record.failure is not None:
            return self.record.failure.hint
        return None


def events(subject: Subject) -> Iterator[Event]:
    """The events of a node: its newest visit, its newest findings, the end of its last boot."""
    yield _visit(subject)
    if (health_at := subject.health_at) is not None:
        for finding in subject.findings:
            yield _finding(subject, finding, health_at)
    if (end := subject.boot_end) is not None and subject.standing.reset is not None:
        yield _end(subject, end, subject.standing.reset.ts)


def _visit(subject: Subject) -> Event:
    last = subject.standing.last
    if last is None:
        code, message, level, outcome = "node.never_visited", "never visited", Level.UNKNOWN, "unknown"
    elif last.failure is not None:
        code, message = "node.unreported", f"did not report ({last.status}): {last.failure.message}"
        level, outcome = Level(severity_of(last.failure.cause).value), "unknown"
    else:
        code, message, level, outcome = "node.reported", "reported", Level.INFORMATIONAL, "success"
    at = last.ts if last else subject.at
    return Event(
        kind="node", subject=subject, at=at, id=subject.key.id_of(code, (iso(at) or "") if last else ""), code=code,
        title={"node.reported": "Node reported", "node.unreported": "Node did not report"}.get(
            code, "Node was never visited"
        ),
        message=message, status=code.removeprefix("node."), level=level, outcome=outcome,
    )  # fmt: skip


def _finding(subject: Subject, finding: Finding, at: datetime) -> Event:
    return Event(
        kind="finding", subject=subject, at=at, id=subject.key.id_of("health", finding.check, iso(at) or ""),
        code=f"health.{finding.check}", title=f"Health check {finding.check}", message=finding.summary,
        status=finding.status.value, level=LEVEL_OF[finding.status], outcome=OUTCOMES.get(finding.status, "unknown"),
        finding=finding,
    )  # fmt: skip


_ENDS = {
    "yes": (Level.INFORMATIONAL, "success"),
    "no": (Level.ERROR, "failure"),
    "unknown": (Level.UNKNOWN, "unknown"),
}


def _end(subject: Subject, end: Transition, at: datetime) -> Event:
    level, outcome = _ENDS[end.flat.expected]
    return Event(
        kind="reset", subject=subject, at=at, id=subject.key.id_of("reset", end.from_boot_id or "", iso(at) or ""),
        code="reset.end", title="End of the last boot", message=end.flat.words,
        status={"yes": "expected", "no": "unexpected", "unknown": "unknown"}[end.flat.expected], level=level,
        outcome=outcome, transition=end,
    )  # fmt: skip
