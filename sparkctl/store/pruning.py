"""Letting go of old run records, and of boots long past in the ledger of contacts.

What the records said of status and facets stays: vectors, verdicts, facets, changes.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update

from sparkctl.model.alert import AlertKind
from sparkctl.store.database import Database, chunks
from sparkctl.store.entries import Pruned, RunKind
from sparkctl.store.schema import alert_changes, alert_mutes, alerts, contacts, documents, events, runs, visits

BOOTS_KEPT = 13
"""Of each node, however old: a node tells of twelve ends of boots at most."""


def prune(database: Database, before: datetime) -> Pruned:
    """Let go of the records of runs that began before a moment, but for the last one of each node and kind of run.

    And of boots that were last heard of before it, but for the newest of each node, and of alerts that were over before
    it. One transaction for each run, and one for each of these; an end in the middle leaves a store that is whole.
    """
    gone = [_prune_kind(database, before, kind) for kind in RunKind]
    records, touched, size = (sum(figures) for figures in zip(*gone, strict=True))
    return Pruned(records, touched, size, _prune_ledger(database, before), _prune_alerts(database, before))


def _prune_alerts(database: Database, before: datetime) -> int:
    """The number of resolved alerts that went, with what happened to them, and mutes that have ended.

    Ends of boots stay: a node tells of the same one again and again, and it is told of once.
    """
    over = alerts.c.resolved_at < before
    going = select(alerts.c.fingerprint).where(over, alerts.c.body.not_like(f'%"kind":"{AlertKind.BOOT_END}"%'))
    with database.maintaining() as connection:
        connection.execute(delete(alert_mutes).where(alert_mutes.c.ends_at < before))
        connection.execute(delete(alert_changes).where(alert_changes.c.fingerprint.in_(going)))
        return connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(going))).rowcount


def _prune_ledger(database: Database, before: datetime) -> int:
    """The number of boots that went."""
    newest_first = func.row_number().over(
        partition_by=contacts.c.node, order_by=(contacts.c.last_at.desc(), contacts.c.first_at.desc())
    )
    ranked = select(contacts.c.node, contacts.c.boot_id, newest_first.label("place")).subquery()
    older = select(ranked.c.node, ranked.c.boot_id).where(ranked.c.place > BOOTS_KEPT)
    going = (contacts.c.last_at < before) & tuple_(contacts.c.node, contacts.c.boot_id).in_(older)
    with database.maintaining() as connection:
        return connection.execute(delete(contacts).where(going)).rowcount


def _prune_kind(database: Database, before: datetime, kind: RunKind) -> tuple[int, int, int]:
    """Records, runs and bytes that went."""
    of_kind = select(runs.c.id).where(runs.c.kind == kind)
    old_runs = of_kind.where(runs.c.started_at < before).order_by(runs.c.id.desc())
    newer_runs = of_kind.where(runs.c.started_at >= before)
    newer = select(visits.c.node).distinct().where(visits.c.run.in_(newer_runs), visits.c.record.is_not(None))
    with database.reading() as connection:
        old = list(connection.execute(old_runs).scalars())
        have_newer = set(connection.execute(newer).scalars())
    records = touched = size = 0
    for run in old:
        with database.maintaining() as connection:
            found, freed = _prune_run(connection, run, have_newer)
        records, size, touched = records + found, size + freed, touched + bool(found)
    return records, touched, size


def _prune_run(connection: Connection, run: int, have_newer: set[int]) -> tuple[int, int]:
    """Let go of a run's records, but for those of nodes without a newer one, which have one from now on."""
    here = select(visits.c.node, visits.c.record).where(visits.c.run == run, visits.c.record.is_not(None))
    rows = connection.execute(here).all()
    leaving = [row for row in rows if row.node in have_newer]
    have_newer.update(row.node for row in rows)
    told = _still_told(connection, [row.record for row in leaving])
    leaving = [row for row in leaving if row.record not in told]
    if not leaving:
        return 0, 0
    place = (visits.c.run == run) & (visits.c.node == bindparam("of_node"))
    connection.execute(update(visits).where(place).values(record=None), [{"of_node": row.node} for row in leaving])
    return len(leaving), _delete(connection, [row.record for row in leaving])


def _still_told(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of these documents that events in the outbox have for a body; they go another time."""
    return {
        found
        for wanted in chunks(ids)
        for found in connection.execute(select(events.c.body).where(events.c.body.in_(wanted))).scalars()
    }


def _delete(connection: Connection, ids: Collection[int]) -> int:
    """Delete documents that nothing refers to any more; the bytes they took."""
    size = 0
    for wanted in chunks(ids):
        here = documents.c.id.in_(wanted)
        size += connection.execute(select(func.sum(func.length(documents.c.content))).where(here)).scalar_one() or 0
        connection.execute(delete(documents).where(here))
    return size
