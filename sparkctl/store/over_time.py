"""Questions to the store about how things went: what changed of late, and readings of many nodes over time."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from sparkctl.store.changes import CHANGES, change_of
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.entries import RunKind, StatusChange, VisitRef
from sparkctl.store.schema import changes, documents, nodes, runs, visits

MOST_RUNS = 12
"""Runs that are looked at for one moment: shards and runs over a few nodes need several to make a fleet."""


def late_changes(database: Database, node_ids: Collection[str], since: datetime) -> Iterator[tuple[str, StatusChange]]:
    """Every change of status of some nodes in runs that began since a moment, the newest run first."""
    of_nodes = nodes.c.node_id.in_(bindparam("wanted", expanding=True))
    query = CHANGES.where(runs.c.started_at >= since, of_nodes).order_by(runs.c.id.desc(), changes.c.check_id)
    for wanted in chunks(node_ids):
        with database.reading() as connection:
            rows = connection.execute(query, {"wanted": wanted}).all()
        yield from ((row.node_id, change_of(row)) for row in rows)


def runs_with_records(database: Database, kind: RunKind, since: datetime) -> list[tuple[int, datetime, int]]:
    """The runs of one kind since a moment, oldest first: number, start, and of how many nodes there is a record."""
    query = (
        select(runs.c.id, runs.c.started_at, func.count().label("records"))
        .join(visits, visits.c.run == runs.c.id)
        .where(runs.c.kind == kind, runs.c.started_at >= since, visits.c.record.is_not(None))
        .group_by(runs.c.id, runs.c.started_at)
        .order_by(runs.c.started_at)
    )
    with database.reading() as connection:
        return [(row.id, row.started_at, row.records) for row in connection.execute(query)]


def visits_of_runs(
    database: Database, node_ids: Collection[str], numbers: Sequence[int]
) -> Iterator[tuple[str, VisitRef]]:
    """The newest visit of each node in some runs, the runs given oldest first; at most MOST_RUNS of them are read."""
    query = (
        select(nodes.c.node_id, runs.c.run_id, runs.c.started_at, visits.c.at_s, visits.c.record)
        .select_from(visits)
        .join(nodes, nodes.c.id == visits.c.node)
        .join(runs, runs.c.id == visits.c.run)
        .where(visits.c.run == bindparam("run"), visits.c.record.is_not(None))
    )
    waiting = set(node_ids)
    for number in [*reversed(numbers)][:MOST_RUNS]:
        if not waiting:
            return
        with database.reading() as connection:
            rows = connection.execute(query, {"run": number}).all()
        for row in rows:
            if row.node_id in waiting:
                waiting.discard(row.node_id)
                yield row.node_id, VisitRef(row.run_id, row.started_at + timedelta(seconds=row.at_s), row.record)


def record_texts(database: Database, numbers: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """Records by their numbers as they were stored, a few at a time; those that were let go of since are left out."""
    query = select(documents.c.id, *COLUMNS)
    wanted = list(numbers)
    for start in range(0, len(wanted), 50):
        with database.reading() as connection:
            rows = connection.execute(query.where(documents.c.id.in_(wanted[start : start + 50]))).all()
        for row in rows:
            yield row.id, unpack(*row[1:])


def recorded_nodes(database: Database, run_id: str) -> set[str]:
    """The nodes of which a run has stored a visit so far."""
    query = (
        select(nodes.c.node_id)
        .join(visits, visits.c.node == nodes.c.id)
        .join(runs, runs.c.id == visits.c.run)
        .where(runs.c.run_id == run_id)
    )
    with database.reading() as connection:
        return set(connection.execute(query).scalars())
