"""What goes in and out of the outbox; importing it does not load the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sparkctl.model.event import Told

WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
"""The states of an event for one sink."""

DEAD_KEPT = timedelta(days=30)
"""How long dead events are kept."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of a state there is for a sink: events, bytes of their bodies, and since when the oldest is there."""

    rows: int = 0
    size: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """An event under a lease: its number, how often the sink did not take it, and when it was put here."""

    number: int
    told: Told
    attempts: int
    put_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Events that nobody else sends while the lease lasts."""

    token: str
    sink: str
    taken: Sequence[Taken]


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of one event: `due_at` is when it may be tried again, or when it was settled for good."""

    number: int
    state: str
    attempts: int
    due_at: datetime
    why: str | None


@dataclass(frozen=True, slots=True)
class SinkMemory:
    """What is remembered of a sink: failures in a row, not to be asked before, last success and error."""

    failures: int = 0
    next_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    dropped: int = 0
