"""Schedules: what an operator's file says, and the documents that tell how they went."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sparkctl.model.base import Record, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.schedule_times import Times

SENDING, DIGESTING = "sinks send", "alerts digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a command does: takes a selector, asks those nodes, tells sinks, needs the lock of the state folder.

    One that asks nodes has a deadline and leaves a report.
    """

    selects: bool = False
    asks: bool = False
    sends: bool = False
    locks: bool = False


_VISITS = Doing(selects=True, asks=True, sends=True, locks=True)
DOING = {
    "health": _VISITS,
    "collect": _VISITS,
    "reset-reason": _VISITS,
    "bundle collect": _VISITS,
    SENDING: Doing(sends=True),
    DIGESTING: Doing(sends=True),
    "report": Doing(selects=True),
    "export": Doing(selects=True),
    "store prune": Doing(locks=True),
}
"""Every command that may be scheduled."""

MARGIN_S = 30
"""What a period must be longer than splay and deadline together, in seconds: ending, storing, starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule; durations are in seconds.

    `run` is the command in words, `options` its options as argv. `splay_s` is how late a host may begin at most,
    `deadline_s` bounds waiting for the lock and the run together. A run that fewer than `min_coverage` (0 to 1) of the
    nodes answered has failed. `quiet_on` names the exit codes of which nothing is said; after `complain_after` skips in
    a row each further one is.
    """

    name: str
    times: Times
    run: str
    selector: tuple[str, ...]
    options: tuple[str, ...]
    splay_s: int
    deadline_s: int
    max_age_s: int
    min_coverage: float
    quiet_on: frozenset[str]
    complain_after: int
    writes_to: tuple[Path, ...]

    @property
    def does(self) -> Doing:
        """What its command does."""
        return DOING[self.run]

    @property
    def selection(self) -> str:
        """What it selects, in words; empty where it selects no nodes."""
        return (",".join(self.selector) or "all") if self.does.selects else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where logs go, from which size in bytes one is put aside, and how many of those are kept."""

    folder: Path
    max_bytes: int
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlan:
    """A file of schedules; all paths are absolute. `user` is who system-wide schedules run as.

    `sinks` is the file of sinks, None for the one beside the inventory, if any.
    """

    file: Path
    state: Path
    fleet: Path
    sinks: Path | None
    heartbeats: Path
    prom: Path | None
    log: LogSettings
    user: str | None
    mailto: str | None
    schedules: dict[str, Schedule]


class ScheduleOutcome(StrEnum):
    """Whether a scheduled run did its work, whatever it found."""

    DONE = "done"
    FAILED = "failed"


class Coverage(Record):
    """How many nodes were selected, and how many of them reported."""

    selected: Count
    reported: Count
    unreported: Count

    @model_validator(mode="after")
    def _nobody_is_missing(self) -> Self:
        if self.selected != self.reported + self.unreported:
            raise ValueError("selected must equal reported + unreported")
        return self


class Skips(Record):
    """Starts at which the run could not begin, since another held the lock: in a row, ever, and the last one."""

    in_a_row: Count = 0
    total: Count = 0
    last_at: UtcDatetime | None = None
    last_why: Text | None = None


class Heartbeat(Record):
    """The last run of a schedule that ended, on one host.

    `period_s` is the longest time between two starts. `due_at` is the start it was for, None when it was run by hand.
    `exit_code` is None when the run was killed. `why` says why a run failed. `completeness` is that of a sweep, over
    nodes that reported. `last_done_at` is when a run last did its work; with `max_age_s` it tells a watcher whether the
    schedule lives.
    """

    heartbeat_schema: Annotated[Literal["sparkctl.schedule-heartbeat/1"], Field(alias="schema")] = (
        "sparkctl.schedule-heartbeat/1"
    )
    name: Word
    host: Word
    run: Word
    selector: Text
    period_s: Count
    max_age_s: Count
    due_at: UtcDatetime | None
    started_at: UtcDatetime
    finished_at: UtcDatetime
    outcome: ScheduleOutcome
    exit_code: Annotated[int, Field(ge=0, le=255)] | None
    exit_name: Word | None
    why: Text | None
    run_id: Word | None
    coverage: Coverage | None
    completeness: Annotated[float, Field(ge=0, le=1)] | None
    interrupted: bool
    skips: Skips
    last_done_at: UtcDatetime | None


class ScheduleStatus(Record):
    """One schedule as it stands: when it is due, where it is installed, how it went.

    `next_starts` include this host's splay. `installed` names the files that start it. `healthy` is what
    `schedule check` answers, and `words` why.
    """

    status_schema: Annotated[Literal["sparkctl.schedule-status/1"], Field(alias="schema")] = (
        "sparkctl.schedule-status/1"
    )
    name: Word
    host: Word
    run: Word
    selector: Text
    when: Text
    splay_s: Count
    deadline_s: Count
    max_age_s: Count
    next_starts: list[UtcDatetime]
    installed: list[Text]
    age_s: Annotated[int, Field(ge=0)] | None
    skips: Skips
    heartbeat: Heartbeat | None
    healthy: bool
    words: Text
