"""Questions to the store about what a node was and is."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, bindparam, func, select, tuple_

from sparkctl.model.outcome import statuses
from sparkctl.model.vocabulary import Status
from sparkctl.store.changes import CHANGES, change_of
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, fetch, unpack
from sparkctl.store.entries import FacetSpan, Held, HistoryEntry, RunKind, StatusChange
from sparkctl.store.schema import changes, documents, identifiers, nodes, runs, spans, standings, visits
from sparkctl.store.vectors import HEALTH, Vector


def visits_to(database: Database, node_id: str, kind: RunKind, limit: int) -> list[HistoryEntry]:
    """The last visits to a node in runs of one kind, newest first."""
    query = (
        select(runs.c.run_id, runs.c.started_at, visits.c.at_s, *COLUMNS)
        .select_from(runs)
        .join(visits, visits.c.run == runs.c.id)
        .join(nodes, nodes.c.id == visits.c.node)
        .join(documents, documents.c.id == visits.c.vector)
        .where(nodes.c.node_id == node_id, runs.c.kind == kind)
        .order_by(runs.c.id.desc())
        .limit(limit)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
        return [_entry(connection, row) for row in rows]


def _entry(connection: Connection, row: Any) -> HistoryEntry:
    vector = Vector.parse(unpack(*row[-4:]).decode())
    verdict = statuses(fetch(connection, vector.parts[HEALTH])) if HEALTH in vector.parts else {}
    return HistoryEntry(
        run_id=row.run_id,
        ts=row.started_at + timedelta(seconds=row.at_s),
        outcome=vector.outcome,
        stage=vector.stage,
        cause=vector.cause,
        worst=vector.worst,
        completeness=vector.completeness,
        origin=vector.origin,
        failed=tuple(check for check, status in verdict.items() if status is Status.FAIL),
        warned=tuple(check for check, status in verdict.items() if status is Status.WARN),
        facets=tuple(part for part in vector.parts if part != HEALTH),
    )


def changes_of(database: Database, node_id: str) -> list[StatusChange]:
    """Every change of status of every check of a node, oldest first; visits without a report are passed over."""
    query = CHANGES.where(nodes.c.node_id == node_id).order_by(changes.c.run, changes.c.check_id)
    with database.reading() as connection:
        return [change_of(row) for row in connection.execute(query)]


def spans_of(database: Database, node_id: str, facet: str) -> list[FacetSpan]:
    """What held of a facet of a node, oldest first; the last one holds still."""
    ends = runs.alias("ends")
    past = (
        select(runs.c.id, runs.c.run_id, runs.c.started_at, ends.c.started_at.label("until"), *COLUMNS)
        .select_from(spans)
        .join(nodes, nodes.c.id == spans.c.node)
        .join(runs, runs.c.id == spans.c.run)
        .join(ends, ends.c.id == spans.c.until_run)
        .join(documents, documents.c.id == spans.c.document)
        .where(nodes.c.node_id == node_id, spans.c.part == facet)
        .order_by(runs.c.id)
    )
    now = (
        select(runs.c.id, runs.c.run_id, runs.c.started_at, *COLUMNS)
        .select_from(standings)
        .join(nodes, nodes.c.id == standings.c.node)
        .join(runs, runs.c.id == standings.c.run)
        .join(documents, documents.c.id == standings.c.document)
        .where(nodes.c.node_id == node_id, standings.c.part == facet)
    )
    with database.reading() as connection:
        found: list[tuple[Any, datetime | None]] = [(row, row.until) for row in connection.execute(past)]
        found += [(row, None) for row in connection.execute(now)]
    return [FacetSpan(facet, row.started_at, row.run_id, until, _json(row[-4:])) for row, until in found]


def held(database: Database, facet: str) -> list[Held]:
    """What holds now of a facet over all nodes: each distinct document once, with its nodes."""
    query = (
        select(standings.c.document, nodes.c.node_id, standings.c.run, standings.c.seen)
        .select_from(standings)
        .join(nodes, nodes.c.id == standings.c.node)
        .where(standings.c.part == facet)
    )
    texts = select(documents.c.id, *COLUMNS).where(
        documents.c.id.in_(select(standings.c.document).where(standings.c.part == facet))
    )
    since: dict[int, dict[str, datetime]] = {}
    seen: dict[int, dict[str, datetime]] = {}
    with database.reading() as connection:
        rows = connection.execute(query).all()
        starts = _starts(connection, {run for _, _, *moments in rows for run in moments})
        for document, node_id, first, last in rows:
            since.setdefault(document, {})[node_id] = starts[first]
            seen.setdefault(document, {})[node_id] = starts[last]
        return [Held(facet, _json(row[1:]), since[row.id], seen[row.id]) for row in connection.execute(texts)]


def collected(database: Database, facet: str) -> set[str]:
    """The nodes of which a facet was ever collected."""
    query = select(nodes.c.node_id).join(standings, standings.c.node == nodes.c.id).where(standings.c.part == facet)
    with database.reading() as connection:
        return set(connection.execute(query).scalars())


def shared_identifiers(database: Database) -> dict[tuple[str, str], set[str]]:
    """The nodes of each value that no two machines may share and several do now, by the field and the value."""
    place = (identifiers.c.field, identifiers.c.value)
    several = select(*place).group_by(*place).having(func.count() > 1)
    query = (
        select(*place, nodes.c.node_id).join(nodes, nodes.c.id == identifiers.c.node).where(tuple_(*place).in_(several))
    )
    found: dict[tuple[str, str], set[str]] = {}
    with database.reading() as connection:
        for field, value, node_id in connection.execute(query):
            found.setdefault((field, value), set()).add(node_id)
    return found


def oldest_facts(database: Database) -> dict[str, datetime]:
    """By node, when the facet was seen last that was seen longest ago."""
    query = (
        select(nodes.c.node_id, func.min(standings.c.seen).label("seen"))
        .join(nodes, nodes.c.id == standings.c.node)
        .where(standings.c.part != HEALTH)
        .group_by(nodes.c.node_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
        starts = _starts(connection, {seen for _, seen in rows})
    return {node_id: starts[seen] for node_id, seen in rows}


def past_of(
    database: Database, facet: str, node_ids: Collection[str], *, share: int = 1
) -> dict[str, list[tuple[int, int]]]:
    """What some nodes had of a facet before, oldest first: the run that first saw it, and the id of the document.

    Numbers only, since a fleet may have hundreds of thousands of them. A `share` of 5 is what began in the last fifth
    of all runs, which the key finds without a look at what is older.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    query = (
        select(nodes.c.node_id, spans.c.run, spans.c.document)
        .join(spans, spans.c.node == nodes.c.id)
        .where(spans.c.part == facet, nodes.c.node_id.in_(bindparam("wanted", expanding=True)))
        .order_by(nodes.c.node_id, spans.c.run)
    )
    with database.reading() as connection:
        if share > 1:
            newest = connection.execute(select(func.max(runs.c.id))).scalar() or 0
            query = query.where(spans.c.run > newest - newest // share)
        for wanted in chunks(node_ids):
            for node_id, run, document in connection.execute(query, {"wanted": wanted}).all():
                found.setdefault(node_id, []).append((run, document))
    return found


def starts_of(database: Database, run_numbers: Collection[int]) -> dict[int, datetime]:
    """When runs began."""
    with database.reading() as connection:
        return _starts(connection, run_numbers)


def _starts(connection: Connection, run_numbers: Collection[int]) -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for wanted in chunks(run_numbers):
        query = select(runs.c.id, runs.c.started_at).where(runs.c.id.in_(wanted))
        found |= {row.id: row.started_at for row in connection.execute(query)}
    return found


def facet_documents(database: Database, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Facet documents by their ids."""
    found: dict[int, dict[str, Any]] = {}
    with database.reading() as connection:
        for wanted in chunks(ids):
            query = select(documents.c.id, *COLUMNS).where(documents.c.id.in_(wanted))
            found |= {row.id: _json(row[1:]) for row in connection.execute(query)}
    return found


def _json(stored: Any) -> dict[str, Any]:
    found: dict[str, Any] = from_json(unpack(*stored))
    return found
