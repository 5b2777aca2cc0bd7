"""Answers of the store that are not documents of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sparkctl.model.reports import RunReport
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Origin, Outcome, Stage, Status, UnknownReason


class RunKind(StrEnum):
    """What a run asked, by the command that asks it: how nodes are, what they are, how they went down, all evidence."""

    HEALTH = "health"
    COLLECT = "collect"
    RESET = "reset-reason"
    BUNDLE = "bundle collect"


class RunState(StrEnum):
    """Whether a run goes on, came to its end, or ended before it."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run; `shard` is the part of its selection (`3/8`), `resumes` the run that it took up.

    `asked` names the facets of a collection, or the ends of boots. `selected` counts the nodes that were asked for,
    `recorded` those with a record in the store.

    An interrupted run with a report was stopped in good order; one without ended with its process, `pid` on `host`.
    The store cannot know who ended it, nor when.
    """

    run_id: str
    kind: RunKind
    asked: str
    tool: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    selector: str
    program_sha256: str
    shard: str | None
    resumes: str | None
    selected: int
    recorded: int
    pid: int
    host: str
    report: RunReport | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One visit to a node: how it ended and, where it reported, its worst status and which checks failed or warned,
    or which facets were read.

    `origin` is None for an unreported node, which had no chance to say whether it is simulated.
    """

    run_id: str
    ts: datetime
    outcome: Outcome
    stage: Stage | None
    cause: Cause | None
    worst: Status | None
    completeness: float | None
    origin: Origin | None
    failed: tuple[str, ...]
    warned: tuple[str, ...]
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitRef:
    """A visit of which there is a record: its run, when it began, and the number of the record in this store."""

    run_id: str
    at: datetime
    record: int


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A check of a node that came out otherwise than in the report before; `at` is when the later visit began."""

    check: str
    previous: Status
    current: Status
    reason: UnknownReason | None
    summary: str
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class FacetSpan:
    """What held of a facet from one run to another; `until` is None while it holds still.

    `document` is `{"data": ..., "gaps": {PATH: REASON}}`.
    """

    facet: str
    since: datetime
    run_id: str
    until: datetime | None
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """The same document of a facet on several nodes: since when each node has it, and when it was seen there last."""

    facet: str
    document: Mapping[str, Any]
    since: Mapping[str, datetime]
    seen: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Superseded:
    """A facet of a node that a run found otherwise: the ids of the documents that held before and from then on."""

    node_id: str
    facet: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was let go of: records, the runs they were of, the bytes they took, boots in the ledger, and old alerts."""

    records: int
    runs: int
    content_bytes: int
    boots: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a node: its newest record, visits newest first, changes oldest first."""

    newest: RunRecord
    visits: list[HistoryEntry]
    changes: list[StatusChange]


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """A plan and its run: who drives it until when, if anybody does. `fence` is 0 for one that nobody has begun."""

    run_id: str
    playbook: str
    planned_at: datetime
    plan_sha256: str
    ended_at: datetime | None
    holder: str | None
    leased_until: datetime | None
    fence: int


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """The right to write the journal of a run, and the fence of each of its nodes."""

    run_id: str
    number: int
    fence: int
    node_fences: Mapping[str, int]
