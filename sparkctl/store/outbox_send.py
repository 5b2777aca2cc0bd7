"""Events on their way to a sink: taken under a lease, and settled by what the sink said."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from sparkctl.model.event import EventKind, EventSeverity, Told
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.outbox_entries import DEAD, DELIVERED, WAITING, Lease, Settled, SinkMemory, Taken
from sparkctl.store.outbox_put import forget_events, note_sink
from sparkctl.store.schema import documents, events, outbox, sinks

BATCH_BYTES = 4 * 2**20
"""Bytes of bodies that are taken at once, unless the first event alone has more."""

_PAGE = 1000


def take(database: Database, sink: str, count: int, now: datetime, until: datetime) -> Lease:
    """Take what is due for a sink, in the order in which it came due, until a moment after which others may take it."""
    token = secrets.token_hex(16)
    free = outbox.c.lease.is_(None) | (outbox.c.leased_until < now)
    due = (
        select(outbox.c.event, outbox.c.attempts, outbox.c.put_at, events.c.size)
        .join(events, events.c.id == outbox.c.event)
        .where(outbox.c.sink == sink, outbox.c.state == WAITING, outbox.c.due_at <= now, free)
        .order_by(outbox.c.due_at, outbox.c.event)
        .limit(count)
        .with_for_update(of=outbox, skip_locked=True)
    )
    with database.writing() as connection:
        rows = list(_within(connection.execute(due)))
        if not rows:
            return Lease(token, sink, ())
        numbers = [row.event for row in rows]
        mine = (outbox.c.sink == sink) & outbox.c.event.in_(numbers)
        connection.execute(update(outbox).where(mine).values(lease=token, leased_until=until))
        told = tell(connection, numbers)
    return Lease(token, sink, tuple(Taken(row.event, told[row.event], row.attempts, row.put_at) for row in rows))


def _within(rows: Any) -> Iterator[Any]:
    size = 0
    for row in rows:
        size += row.size
        if size > BATCH_BYTES and size > row.size:
            return
        yield row


def tell(connection: Connection, numbers: Collection[int]) -> dict[int, Told]:
    """Events by their numbers, with their bodies; raises StoreError when one is damaged."""
    found: dict[int, Told] = {}
    for some in chunks(numbers):
        query = (
            select(events, *(column.label(f"doc_{column.name}") for column in COLUMNS))
            .outerjoin(documents, documents.c.id == events.c.body)
            .where(events.c.id.in_(some))
        )
        for row in connection.execute(query):
            found[row.id] = _told(row)
    return found


def _told(row: Any) -> Told:
    if row.body is not None:
        body = unpack(row.doc_sha256, row.doc_codec, row.doc_size, row.doc_content)
    else:
        body = unpack(row.body_sha256, "zlib", row.size, row.content)
    return Told(
        kind=EventKind(row.kind),
        severity=EventSeverity(row.severity),
        at=row.at,
        node_id=row.node_id,
        summary=row.summary,
        simulated=row.simulated,
        body_schema=row.body_schema,
        body=body.decode(),
        body_sha256=row.body_sha256,
    )


def settle(
    database: Database, lease: Lease, settled: Sequence[Settled], memory: Mapping[str, Any], now: datetime
) -> None:
    """Give back a lease: note what became of its events, and what is to be remembered of the sink.

    An event that another took over meanwhile is only changed when it was delivered.
    """
    place = (outbox.c.sink == lease.sink) & (outbox.c.event == bindparam("of_event")) & (outbox.c.state == WAITING)
    with database.writing() as connection:
        for delivered in (True, False):
            rows = [_values(one) for one in settled if (one.state == DELIVERED) is delivered]
            if rows:
                ours = place if delivered else place & (outbox.c.lease == lease.token)
                connection.execute(update(outbox).where(ours), rows)
        rest = (outbox.c.sink == lease.sink) & (outbox.c.lease == lease.token)
        connection.execute(update(outbox).where(rest).values(lease=None, leased_until=None))
        _remember(connection, lease.sink, memory)
        if any(one.state == DELIVERED for one in settled):
            # The sink is well again: whoever waited for no fault of his own need not wait longer.
            late = (outbox.c.sink == lease.sink) & (outbox.c.state == WAITING) & (outbox.c.due_at > now)
            connection.execute(update(outbox).where(late & (outbox.c.attempts == 0)).values(due_at=now))


def _values(one: Settled) -> dict[str, object]:
    settled = {"state": one.state, "attempts": one.attempts, "due_at": one.due_at, "why": one.why}
    return {"of_event": one.number, **settled, "lease": None, "leased_until": None}


def _remember(connection: Connection, sink: str, memory: Mapping[str, Any]) -> None:
    if memory:
        note_sink(connection, sink)
        connection.execute(update(sinks).where(sinks.c.sink == sink).values(dict(memory)))


def memory_of(database: Database, sink: str) -> SinkMemory:
    """What is remembered of a sink."""
    with database.reading() as connection:
        row = connection.execute(select(sinks).where(sinks.c.sink == sink)).first()
    if row is None:
        return SinkMemory()
    return SinkMemory(
        row.failures, row.next_at, row.last_success_at, row.last_error_at, row.last_error, row.dropped
    )  # fmt: skip


def bury_old(database: Database, sink: str, put_before: datetime, now: datetime, why: str) -> int:
    """Give up what was put here before a moment and is still waiting; how many that were."""
    old = (outbox.c.sink == sink) & (outbox.c.state == WAITING) & (outbox.c.put_at < put_before)
    free = outbox.c.lease.is_(None) | (outbox.c.leased_until < now)
    with database.reading() as connection:
        if connection.execute(select(outbox.c.event).where(old & free).limit(1)).first() is None:
            return 0
    with database.writing() as connection:
        changed = {"state": DEAD, "due_at": now, "lease": None, "leased_until": None, "why": why}
        return connection.execute(update(outbox).where(old & free).values(changed)).rowcount


def forget_settled(database: Database, sink: str, delivered_before: datetime, dead_before: datetime) -> None:
    """Let go of what was delivered, or has been dead, for long; the oldest first, so that few rows are read."""
    for state, before in ((DELIVERED, delivered_before), (DEAD, dead_before)):
        while _forget_page(database, sink, state, before):
            pass


def forget_sink(database: Database, sink: str) -> int:
    """Let go of a sink and of all that it was to get; how many events it was still to get."""
    with database.writing() as connection:
        mine = outbox.c.sink == sink
        waiting = connection.execute(select(func.count()).where(mine, outbox.c.state == WAITING)).scalar_one()
        numbers = list(connection.execute(select(outbox.c.event).where(mine)).scalars())
        connection.execute(delete(outbox).where(mine))
        forget_events(connection, numbers)
        connection.execute(delete(sinks).where(sinks.c.sink == sink))
    return waiting


def _forget_page(database: Database, sink: str, state: str, before: datetime) -> bool:
    """Whether there may be more."""
    oldest = (
        select(outbox.c.event, outbox.c.due_at)
        .where(outbox.c.sink == sink, outbox.c.state == state)
        .order_by(outbox.c.due_at, outbox.c.event)
        .limit(_PAGE)
    )
    with database.reading() as connection:
        first = connection.execute(oldest.limit(1)).first()
    if first is None or first.due_at >= before:
        return False
    with database.writing() as connection:
        rows = connection.execute(oldest).all()
        going = [row.event for row in rows if row.due_at < before]
        for numbers in chunks(going):
            connection.execute(delete(outbox).where(outbox.c.sink == sink, outbox.c.event.in_(numbers)))
        forget_events(connection, going)
    return len(going) == _PAGE
