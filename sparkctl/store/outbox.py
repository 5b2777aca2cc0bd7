"""The outbox: events that wait for sinks, survive whatever ends a process, and are sent at least once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from sparkctl.model.delivery import Delivery
from sparkctl.model.event import Addressed, EventKind, EventSeverity, Told
from sparkctl.model.sink import Spool
from sparkctl.store import outbox_put, outbox_send
from sparkctl.store.database import Database
from sparkctl.store.outbox_entries import WAITING, Depth, Lease, Settled, SinkMemory
from sparkctl.store.schema import events, outbox, sinks


class Outbox:
    """The outbox of a store. Every method blocks on the disk and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, letters: Sequence[Addressed], spools: Mapping[str, Spool]) -> None:
        """Put events in; on disk when this returns. An event that a sink has, or had, is not put again."""
        outbox_put.put(self._database, letters, spools)

    def tell_drops(self, sink: str, words: Callable[[int, int], Addressed]) -> None:
        """Put an event in about what was dropped since the last one, made by `words` of that number and of all ever."""
        outbox_put.tell_drops(self._database, sink, words)

    def take(self, sink: str, count: int, now: datetime, until: datetime) -> Lease:
        """Take at most so many due events of a sink, which nobody else takes before `until`."""
        return outbox_send.take(self._database, sink, count, now, until)

    def settle(self, lease: Lease, settled: Sequence[Settled], memory: Mapping[str, Any], now: datetime) -> None:
        """Note what became of the events of a lease, and give back the rest; `memory` are fields of SinkMemory."""
        outbox_send.settle(self._database, lease, settled, memory, now)

    def memory_of(self, sink: str) -> SinkMemory:
        """What is remembered of a sink."""
        return outbox_send.memory_of(self._database, sink)

    def bury_old(self, sink: str, put_before: datetime, now: datetime, why: str) -> int:
        """Give up what waits since before a moment; how many events that were."""
        return outbox_send.bury_old(self._database, sink, put_before, now, why)

    def forget_settled(self, sink: str, delivered_before: datetime, dead_before: datetime) -> None:
        """Let go of what was settled before these moments."""
        outbox_send.forget_settled(self._database, sink, delivered_before, dead_before)

    def names(self) -> list[str]:
        """Every sink that has events here, or had."""
        with self._database.reading() as connection:
            found = set(connection.execute(select(outbox.c.sink).distinct()).scalars())
            return sorted(found | set(connection.execute(select(sinks.c.sink)).scalars()))

    def depths(self, sink: str) -> dict[str, Depth]:
        """How much there is for a sink, by state."""
        query = (
            select(outbox.c.state, func.count(), func.sum(events.c.size), func.min(outbox.c.put_at))
            .join(events, events.c.id == outbox.c.event)
            .where(outbox.c.sink == sink)
            .group_by(outbox.c.state)
        )
        with self._database.reading() as connection:
            return {state: Depth(rows, size, oldest) for state, rows, size, oldest in connection.execute(query)}

    def waiting(self, sink: str) -> int:
        """How many events wait for a sink."""
        query = select(func.count()).where(outbox.c.sink == sink, outbox.c.state == WAITING)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def deliveries(
        self,
        *,
        sink: str | None = None,
        state: str | None = None,
        event_id: str | None = None,
        limit: int | None = None,
    ) -> list[Delivery]:
        """How events fare, the oldest first."""
        query = select(outbox, events).join(events, events.c.id == outbox.c.event).order_by(outbox.c.event)
        for column, value in ((outbox.c.sink, sink), (outbox.c.state, state), (events.c.event_id, event_id)):
            if value is not None:
                query = query.where(column == value)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query.limit(limit))]

    def event(self, event_id: str) -> Told | None:
        """An event that is still here."""
        with self._database.reading() as connection:
            number = connection.execute(select(events.c.id).where(events.c.event_id == event_id)).scalar()
            return None if number is None else outbox_send.tell(connection, [number])[number]

    def event_ids(self, beginning: str) -> list[str]:
        """Ids of events that begin so, two at most."""
        query = select(events.c.event_id).where(events.c.event_id.startswith(beginning, autoescape=True)).limit(2)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def forget_sink(self, sink: str) -> int:
        """Let go of a sink and of all that it was to get; how many events it was still to get."""
        return outbox_send.forget_sink(self._database, sink)

    def replay(
        self,
        now: datetime,
        states: Collection[str],
        *,
        sink: str | None = None,
        since: datetime | None = None,
        event_ids: Collection[str] = (),
    ) -> int:
        """Let settled events wait again, as if they were new, under the ids that they had; how many."""
        which: ColumnElement[bool] = outbox.c.state.in_(states)
        if sink is not None:
            which &= outbox.c.sink == sink
        if since is not None:
            which &= outbox.c.due_at >= since
        if event_ids:
            which &= outbox.c.event.in_(select(events.c.id).where(events.c.event_id.in_(event_ids)))
        anew = {"state": WAITING, "attempts": 0, "put_at": now, "due_at": now, "why": None}
        with self._database.writing() as connection:
            return connection.execute(update(outbox).where(which).values(anew)).rowcount


def _delivery(row: Any) -> Delivery:
    waits = row.state == WAITING
    return Delivery(
        event_id=row.event_id,
        sink=row.sink,
        state=row.state,
        kind=EventKind(row.kind),
        severity=EventSeverity(row.severity),
        at=row.at,
        node_id=row.node_id,
        summary=row.summary,
        attempts=row.attempts,
        put_at=row.put_at,
        since=row.put_at if waits else row.due_at,
        next_at=row.due_at if waits else None,
        why=row.why,
    )
