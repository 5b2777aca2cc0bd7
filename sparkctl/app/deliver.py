"""Deliver what is due: all sinks at once, each in a thread of its own, and none for longer than there is time."""

import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sparkctl.app.sink_formats import parcel
from sparkctl.app.sink_settling import Draw, Policy, Tally, outcome_of
from sparkctl.model.delivery import OutboxDrop
from sparkctl.model.durations import told_age
from sparkctl.model.event import Addressed, EventKind, EventSeverity, told
from sparkctl.model.printable import printable
from sparkctl.model.sink import Answer, Parcel, SinkPlan, SinkSettings
from sparkctl.sinks.registry import SCHEMES, make_sink
from sparkctl.sinks.seam import Sink
from sparkctl.store.outbox import Outbox
from sparkctl.store.outbox_entries import DEAD_KEPT, Lease
from sparkctl.store.store import Store

BATCH_S = 60.0
"""Seconds for one batch."""

_LEASE_MARGIN_S = 30.0
_GRACE_S = 1.0  # for a sink that keeps to its time to say so


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def host_name() -> str:
    """The name of this machine, as sinks are told it."""
    return printable(socket.gethostname(), 120) or "localhost"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long all of it may take, in seconds, by which clock, and whether sinks are asked that said not to."""

    within_s: float
    now: Callable[[], datetime] = utc_now
    draw: Draw = random.random
    at_once: bool = False


@dataclass(slots=True)
class Delivered:
    """What came of one sink: the events that still wait, and `late` when there was no time for all that were due.

    `resting_until` is set when it was not asked, since it failed before.
    """

    sink: str
    tally: Tally = field(default_factory=Tally)
    waiting: int = 0
    buried: int = 0
    late: bool = False
    down: bool = False
    resting_until: datetime | None = None

    @property
    def trouble(self) -> bool:
        """Whether the sink did not take what it was to take."""
        bad = self.tally.refused or self.tally.failed or self.buried or self.down
        return bool(bad or (self.resting_until is not None and self.waiting))


def deliver(store: Store, plan: SinkPlan, names: Collection[str], pace: Pace) -> list[Delivered]:
    """Send what is due to these sinks of the plan. Raises StoreError; whatever the sinks do is in the result."""
    return _Delivery(store.outbox, [plan.sinks[name] for name in names], pace).go()


class _Lane(threading.Thread):
    """One sink at work; it never touches the store."""

    def __init__(self, sink: Sink, answers: "queue.SimpleQueue[tuple[_Lane, Answer | None]]") -> None:
        super().__init__(daemon=True, name="sink")
        self._sink, self._answers = sink, answers
        self._batches: queue.SimpleQueue[tuple[Sequence[Parcel], float] | None] = queue.SimpleQueue()

    def give(self, batch: Sequence[Parcel], until: float) -> None:
        """Have it send a batch."""
        self._batches.put((batch, until))

    def end(self) -> None:
        """Have it close the sink and end."""
        self._batches.put(None)

    def run(self) -> None:
        """Send what is given; an answer that is None says that the thread died of a bug, and Python has told why."""
        while (given := self._batches.get()) is not None:
            answer = None
            try:
                answer = self._sink.send(*given)
            finally:
                self._answers.put((self, answer))
        self._sink.close()


@dataclass(slots=True)
class _Work:
    """A lane with what it was given."""

    settings: SinkSettings
    failures: int
    result: Delivered
    lease: Lease


class _Delivery:
    def __init__(self, outbox: Outbox, sinks: Sequence[SinkSettings], pace: Pace) -> None:
        self._outbox, self._sinks, self._pace = outbox, sinks, pace
        self._until = time.monotonic() + pace.within_s
        self._answers: queue.SimpleQueue[tuple[_Lane, Answer | None]] = queue.SimpleQueue()
        self._work: dict[_Lane, _Work] = {}

    def go(self) -> list[Delivered]:
        """Begin with every sink, and go on with each while there is something due, time, and an answer."""
        results = [self._begin(settings) for settings in self._sinks]
        try:
            self._go_on_while_there_is_time()
        except KeyboardInterrupt:
            # Whoever delivers next need not wait for leases of somebody who is gone.
            for work in self._work.values():
                self._outbox.settle(work.lease, [], {}, self._pace.now())
            raise
        for work in self._work.values():  # their leases run out by themselves
            work.result.late = True
        for settings, result in zip(self._sinks, results, strict=True):
            keep = timedelta(seconds=settings.spool.keep_s)
            now = self._pace.now()
            self._outbox.forget_settled(settings.name, now - keep, now - DEAD_KEPT)
            result.waiting = self._outbox.waiting(settings.name)
        return results

    def _go_on_while_there_is_time(self) -> None:
        while self._work:
            try:
                lane, answer = self._answers.get(timeout=max(self._until - time.monotonic(), 0) + _GRACE_S)
            except queue.Empty:
                return
            self._go_on(lane, answer)

    def _begin(self, settings: SinkSettings) -> Delivered:
        """Bury what is too old, tell of what was dropped, and send the first batch."""
        result, now = Delivered(settings.name), self._pace.now()
        oldest = now - timedelta(seconds=settings.retry.max_age_s)
        why = f"it was not taken within {told_age(settings.retry.max_age_s)}"
        result.buried = self._outbox.bury_old(settings.name, oldest, now, why)
        if result.buried:
            result.tally.why = why
        self._outbox.tell_drops(settings.name, lambda untold, ever: _drop(settings.name, untold, ever, now))
        memory = self._outbox.memory_of(settings.name)
        if memory.next_at is not None and memory.next_at > now and not self._pace.at_once:
            result.resting_until, result.tally.why = memory.next_at, result.tally.why or memory.last_error
            return result
        lease = self._take(settings)
        if lease.taken:
            lane = _Lane(make_sink(settings, host_name()), self._answers)
            lane.start()
            self._work[lane] = _Work(settings, memory.failures, result, lease)
            self._give(lane)
        return result

    def _take(self, settings: SinkSettings) -> Lease:
        now = self._pace.now()
        lasts = min(BATCH_S, max(self._until - time.monotonic(), 0)) + _LEASE_MARGIN_S
        return self._outbox.take(settings.name, settings.batch, now, now + timedelta(seconds=lasts))

    def _give(self, lane: _Lane) -> None:
        work = self._work[lane]
        batch = [parcel(taken.told, work.settings.format) for taken in work.lease.taken]
        lane.give(batch, min(self._until, time.monotonic() + BATCH_S))

    def _go_on(self, lane: _Lane, answer: Answer | None) -> None:
        """Note an answer; then the next batch, or the end of the lane."""
        work = self._work[lane]
        if answer is None:
            del self._work[lane]
            raise RuntimeError(f"the sink {work.result.sink} broke; Python has said above where")
        now, result = self._pace.now(), work.result
        out_of_time = answer.down is not None and time.monotonic() >= self._until
        if out_of_time:
            # It may be well and had no time: that is neither failure nor reason to wait.
            answer = Answer(answer.results)
        policy = Policy(work.settings.retry, now, self._pace.draw)
        noted = outcome_of(work.lease, answer, work.failures, policy, result.tally)
        work.failures = noted.memory.get("failures", work.failures)
        self._outbox.settle(work.lease, noted.settled, noted.memory, now)
        result.down = answer.down is not None
        unasked = len(answer.results) < len(work.lease.taken)
        if not result.down and not unasked and time.monotonic() < self._until:
            work.lease = self._take(work.settings)
            if work.lease.taken:
                self._give(lane)
                return
        else:
            result.late = not result.down
        del self._work[lane]
        lane.end()


def _drop(sink: str, untold: int, ever: int, now: datetime) -> Addressed:
    """The event that tells a sink what it will never get."""
    body = OutboxDrop(sink=sink, host=host_name(), told_at=now, dropped=untold, dropped_ever=ever)
    words = f"{untold} events for {sink} were dropped, since more waited than may; {ever} ever"
    event = told(EventKind.OUTBOX, body.model_dump_json(), severity=EventSeverity.ERROR, at=now, summary=words)
    return Addressed(event, (sink,), now)


def asked_after_runs(plan: SinkPlan) -> list[str]:
    """The sinks that get events right after a run."""
    return [name for name, sink in plan.sinks.items() if not SCHEMES[sink.address.scheme].pulled]
