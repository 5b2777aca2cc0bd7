"""What an operator does with sinks: see how they stand, try one, send what waits, see what is dead, send it anew."""

import contextlib
import secrets
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sparkctl.app.deliver import Delivered, Pace, deliver, host_name, utc_now
from sparkctl.app.places import SINKS_NAME, SINKS_VARIABLE, Places
from sparkctl.app.sink_file import plan_at
from sparkctl.app.sink_formats import parcel
from sparkctl.errors import UsageError
from sparkctl.model.delivery import Delivery, SinkStatus, SinkTest
from sparkctl.model.event import EventKind, EventSeverity, Told, told
from sparkctl.model.printable import clip, printable
from sparkctl.model.sink import SinkPlan, SinkSettings, Verdict
from sparkctl.sinks.registry import make_sink
from sparkctl.store.location import DATABASE_NAME
from sparkctl.store.outbox import Outbox
from sparkctl.store.outbox_entries import DEAD, DELIVERED, WAITING, Depth
from sparkctl.store.store import Store

TEST_WORDS = "this is a test of a sink by an operator; nothing happened"


def plan_of(places: Places) -> SinkPlan:
    """The sinks of the file, which must be there; raises UsageError."""
    plan = plan_at(places)
    if not plan.sinks:
        hint = f"write one, or name it with --sinks or {SINKS_VARIABLE}; see docs/sinks.md"
        raise UsageError(f"there is no {SINKS_NAME} beside the inventory, and none is named", hint=hint)
    return plan


def named(plan: SinkPlan, name: str) -> SinkSettings:
    """A sink of the plan; raises UsageError."""
    if name not in plan.sinks:
        raise UsageError(
            f"there is no sink {printable(name, 60)} in {plan.file}", hint=f"there is: {', '.join(plan.sinks)}"
        )
    return plan.sinks[name]


@contextlib.contextmanager
def outbox_of(state: Path) -> Iterator[Outbox | None]:
    """The outbox of a state folder; None where nothing was ever stored."""
    if not (state / DATABASE_NAME).exists():
        yield None
        return
    with Store.open(state, create=False) as store:
        yield store.outbox


def statuses(state: Path, plan: SinkPlan) -> list[SinkStatus]:
    """How each sink of the plan stands, and each other one that still has events here."""
    with outbox_of(state) as outbox:
        others = [name for name in outbox.names() if name not in plan.sinks] if outbox else []
        return [_status(name, plan.sinks.get(name), outbox) for name in [*plan.sinks, *others]]


def _status(name: str, settings: SinkSettings | None, outbox: Outbox | None) -> SinkStatus:
    depths = outbox.depths(name) if outbox else {}
    waiting = depths.get(WAITING, Depth())
    memory = outbox.memory_of(name) if outbox else None
    return SinkStatus(
        sink=name,
        configured=settings is not None,
        scheme=settings.address.scheme if settings else None,
        address=clip(settings.address.words) if settings else None,
        wants=clip(settings.only.words) if settings else None,
        waiting=waiting.rows,
        waiting_bytes=waiting.size,
        oldest_at=waiting.oldest,
        delivered=depths.get(DELIVERED, Depth()).rows,
        dead=depths.get(DEAD, Depth()).rows,
        dropped=memory.dropped if memory else 0,
        last_success_at=memory.last_success_at if memory else None,
        last_error_at=memory.last_error_at if memory else None,
        last_error=memory.last_error if memory else None,
        failures_in_a_row=memory.failures if memory else 0,
        next_at=memory.next_at if memory else None,
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """What a sink said to a test event; `words` are the far side's."""

    sink: str
    event_id: str
    verdict: Verdict
    words: str


def try_sink(settings: SinkSettings) -> Tried:
    """Send one event that says that it is a test, past the outbox, and wait for what is said to it."""
    now = utc_now()
    body = SinkTest(sink=settings.name, host=host_name(), at=now, nonce=secrets.token_hex(8), words=TEST_WORDS)
    event = told(
        EventKind.TEST, body.model_dump_json(), severity=EventSeverity.INFO, at=now, summary=f"test: {TEST_WORDS}"
    )
    sink = make_sink(settings, host_name())
    try:
        answer = sink.send([parcel(event, settings.format)], time.monotonic() + 2 * settings.timeout_s)
    finally:
        sink.close()
    if answer.results:
        return Tried(settings.name, event.event_id, answer.results[0].verdict, answer.results[0].words)
    words = answer.down.words if answer.down else "it did not say anything in time"
    return Tried(settings.name, event.event_id, Verdict.FAILED, words)


def send(state: Path, plan: SinkPlan, names: Collection[str], pace: Pace) -> list[Delivered]:
    """Deliver what is due to these sinks, or to all."""
    wanted = [named(plan, name).name for name in names] or list(plan.sinks)
    if not (state / DATABASE_NAME).exists():
        return []
    with Store.open(state, create=False) as store:
        return deliver(store, plan, wanted, pace)


def dead_letters(state: Path, sink: str | None, limit: int | None = None) -> list[Delivery]:
    """What was given up, the oldest first."""
    with outbox_of(state) as outbox:
        return outbox.deliveries(sink=sink, state=DEAD, limit=limit) if outbox else []


def replay(
    state: Path, *, sink: str | None, within: timedelta | None, delivered: bool, event_ids: Collection[str]
) -> int:
    """Let dead events wait again, and with `delivered` those that were taken, too; how many.

    `within` leaves it at what was settled in the last so long. Raises UsageError for an event that is not here.
    """
    now = utc_now()
    since: datetime | None = None if within is None else now - within
    with outbox_of(state) as outbox:
        if outbox is None:
            return 0
        wanted = [_whole_id(outbox, event_id) for event_id in event_ids]
        states = (DEAD, DELIVERED) if delivered else (DEAD,)
        return outbox.replay(now, states, sink=sink, since=since, event_ids=wanted)


def forget_sink(state: Path, plan: SinkPlan, name: str) -> int:
    """Let go of a sink that is no more, and of what waits for it; how many events that were.

    Raises UsageError for one that stands in the file, or that nothing was ever put here for.
    """
    if name in plan.sinks:
        raise UsageError(f"the sink {name} stands in {plan.file}", hint="take it out of the file first")
    with outbox_of(state) as outbox:
        if outbox is None or name not in outbox.names():
            raise UsageError(
                f"nothing was ever to be sent to a sink {printable(name, 40)}", hint="see: sparkctl sinks list"
            )
        return outbox.forget_sink(name)


def event_with_deliveries(state: Path, event_id: str) -> tuple[Told, list[Delivery]]:
    """An event by its id or a beginning of it, and how it fares with each sink; raises UsageError."""
    with outbox_of(state) as outbox:
        if outbox is None:
            raise _not_here(event_id)
        whole = _whole_id(outbox, event_id)
        event = outbox.event(whole)
        if event is None:
            raise _not_here(event_id)
        return event, outbox.deliveries(event_id=whole)


def _whole_id(outbox: Outbox, beginning: str) -> str:
    found = outbox.event_ids(beginning) if beginning else []
    if len(found) > 1:
        raise UsageError(f"several events begin with {printable(beginning, 70)}", hint="write more of the id")
    if not found:
        raise _not_here(beginning)
    return found[0]


def _not_here(event_id: str) -> UsageError:
    hint = "events stay for as long as `spool: keep` of their sinks says; see: sparkctl sinks dead"
    return UsageError(f"there is no event {printable(event_id, 70)} here", hint=hint)
