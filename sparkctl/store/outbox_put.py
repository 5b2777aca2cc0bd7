"""Events into the outbox, and out of it again where more wait than may."""

import zlib
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from sparkctl.model.event import Addressed, EventKind, Told
from sparkctl.model.sink import Spool
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import CODEC, ids_of
from sparkctl.store.outbox_entries import WAITING
from sparkctl.store.schema import events, outbox, sinks

DROPPED_FIRST = (
    EventKind.VISIT,
    EventKind.TEST,
    EventKind.RUN,
    EventKind.DIGEST,
    EventKind.OUTBOX,
    EventKind.PLAYBOOK,
    EventKind.ALERT,
)
"""What goes first when too much waits; of one kind the oldest."""


def put_events(connection: Connection, letters: Sequence[Addressed]) -> None:
    """Put events into the outbox of their sinks, in a transaction of the caller; what is there already stays so."""
    wanted = {letter.told.event_id: letter for letter in letters if letter.sinks}
    known = _numbers(connection, wanted)
    new = [letter.told for event_id, letter in wanted.items() if event_id not in known]
    if new:
        stored = ids_of(connection, {told.body_sha256 for told in new})
        connection.execute(insert(events), [_row(told, stored.get(told.body_sha256)) for told in new])
        known = _numbers(connection, wanted)
    rows = {
        (sink, known[event_id]): letter.put_at for event_id, letter in wanted.items() for sink in letter.sinks
    }  # fmt: skip
    there = {
        (row.sink, row.event)
        for numbers in chunks(set(known.values()))
        for row in connection.execute(select(outbox.c.sink, outbox.c.event).where(outbox.c.event.in_(numbers)))
    }
    if fresh := [
        {"sink": sink, "event": event, "state": WAITING, "attempts": 0, "put_at": at, "due_at": at}
        for (sink, event), at in rows.items()
        if (sink, event) not in there
    ]:
        connection.execute(insert(outbox), fresh)


def put(database: Database, letters: Sequence[Addressed], spools: Mapping[str, Spool]) -> None:
    """Put events into the outbox in a transaction of their own, and keep each sink within its bounds."""
    with database.writing() as connection:
        put_events(connection, letters)
        keep_within(connection, spools)


def _numbers(connection: Connection, event_ids: Mapping[str, Addressed]) -> dict[str, int]:
    found: dict[str, int] = {}
    for wanted in chunks(event_ids):
        query = select(events.c.event_id, events.c.id).where(events.c.event_id.in_(wanted))
        found |= {row.event_id: row.id for row in connection.execute(query)}
    return found


def _row(told: Told, stored: int | None) -> dict[str, object]:
    body = told.body.encode()
    return {
        "event_id": told.event_id,
        "at": told.at,
        "kind": told.kind,
        "severity": told.severity,
        "node_id": told.node_id,
        "summary": told.summary,
        "simulated": told.simulated,
        "body_schema": told.body_schema,
        "body_sha256": told.body_sha256,
        "size": len(body),
        "body": stored,
        "content": None if stored else zlib.compress(body),
    }


assert CODEC == "zlib"  # noqa: S101 - what is packed here is unpacked as a document is


def keep_within(connection: Connection, spools: Mapping[str, Spool]) -> None:
    """Drop what is too much for each sink, and count it; what is being sent is left alone."""
    for sink, spool in spools.items():
        rows, size = connection.execute(
            select(func.count(), func.coalesce(func.sum(events.c.size), 0))
            .select_from(outbox.join(events, events.c.id == outbox.c.event))
            .where(outbox.c.sink == sink, outbox.c.state == WAITING)
        ).one()
        going = _too_many(connection, sink, rows - spool.rows, size - spool.max_bytes)
        if going:
            for numbers in chunks(going):
                connection.execute(delete(outbox).where(outbox.c.sink == sink, outbox.c.event.in_(numbers)))
            forget_events(connection, going)
            count_dropped(connection, sink, len(going))


def _too_many(connection: Connection, sink: str, rows: int, size: int) -> list[int]:
    """The events that must go for so many rows and bytes to be gone."""
    going: list[int] = []
    for kind in DROPPED_FIRST:
        if rows <= 0 and size <= 0:
            break
        query = (
            select(outbox.c.event, events.c.size)
            .join(events, events.c.id == outbox.c.event)
            .where(outbox.c.sink == sink, outbox.c.state == WAITING, outbox.c.lease.is_(None), events.c.kind == kind)
            .order_by(outbox.c.event)
        )
        for row in connection.execute(query):
            if rows <= 0 and size <= 0:
                break
            going.append(row.event)
            rows, size = rows - 1, size - row.size
    return going


def forget_events(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete those of these events that no sink has a row of any more."""
    for some in chunks(numbers):
        wanted = select(outbox.c.event).where(outbox.c.event == events.c.id)
        connection.execute(delete(events).where(events.c.id.in_(some), ~wanted.exists()))


def count_dropped(connection: Connection, sink: str, number: int) -> None:
    """Remember that so many events of a sink were dropped, which it is to be told."""
    note_sink(connection, sink)
    changed = {"dropped": sinks.c.dropped + number, "untold": sinks.c.untold + number}
    connection.execute(update(sinks).where(sinks.c.sink == sink).values(changed))


def tell_drops(database: Database, sink: str, words: Callable[[int, int], Addressed]) -> None:
    """Put an event into a sink's outbox about what was dropped since it was told last; `words` makes it of the number
    of those, and of all ever.
    """
    query = select(sinks.c.untold, sinks.c.dropped).where(sinks.c.sink == sink)
    with database.reading() as connection:
        row = connection.execute(query).first()
    if row is None or not row.untold:
        return  # as nearly always, and without waiting for a turn to write
    with database.writing() as connection:
        row = connection.execute(query).first()
        if row is not None and row.untold:
            put_events(connection, [words(row.untold, row.dropped)])
            connection.execute(update(sinks).where(sinks.c.sink == sink).values(untold=0))


def note_sink(connection: Connection, sink: str) -> None:
    """Have a row for what is remembered of a sink."""
    if connection.execute(select(sinks.c.sink).where(sinks.c.sink == sink)).first() is None:
        connection.execute(insert(sinks), {"sink": sink, "failures": 0, "dropped": 0, "untold": 0})
