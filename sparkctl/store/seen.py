"""What one run saw of all its nodes, without a look at their records: vectors, verdicts, what came out otherwise."""

from collections.abc import Collection, Iterator

from sqlalchemy import func, select

from sparkctl.model.outcome import statuses
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Status
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.entries import Superseded
from sparkctl.store.reads import RECORDS, parsed
from sparkctl.store.schema import documents, nodes, runs, spans, standings, visits
from sparkctl.store.vectors import HEALTH, Vector


def visited(database: Database, run_id: str) -> dict[str, Vector]:
    """How each visit of a run ended, by node; visits that were alike share it."""
    run = select(runs.c.id).where(runs.c.run_id == run_id).scalar_subquery()
    of_run = (
        select(nodes.c.node_id, visits.c.vector).join(nodes, nodes.c.id == visits.c.node).where(visits.c.run == run)
    )
    distinct = select(visits.c.vector).distinct().where(visits.c.run == run)
    texts = select(documents.c.id, *COLUMNS).where(documents.c.id.in_(distinct))
    with database.reading() as connection:
        vectors = {row.id: Vector.parse(unpack(*row[1:]).decode()) for row in connection.execute(texts)}
        return {node_id: vectors[vector] for node_id, vector in connection.execute(of_run)}


def verdicts(database: Database, digests: Collection[str]) -> dict[str, dict[str, Status]]:
    """The status of each check in verdicts, by the digests of these."""
    found: dict[str, dict[str, Status]] = {}
    with database.reading() as connection:
        for wanted in chunks(digests):
            for row in connection.execute(select(*COLUMNS).where(documents.c.sha256.in_(wanted))):
                found[row.sha256] = statuses(unpack(*row).decode())
    return found


def superseded(database: Database, run_id: str) -> list[Superseded]:
    """The facets that a run found otherwise than they were before, whatever later runs found."""
    run = select(runs.c.id).where(runs.c.run_id == run_id).scalar_subquery()
    later = spans.alias("later")
    here = (spans.c.until_run == run) & (spans.c.part != HEALTH)
    same_now = (standings.c.node == spans.c.node) & (standings.c.part == spans.c.part) & (standings.c.run == run)
    same_then = (later.c.node == spans.c.node) & (later.c.part == spans.c.part) & (later.c.run == run)
    query = (
        select(
            nodes.c.node_id,
            spans.c.part,
            spans.c.document,
            func.coalesce(standings.c.document, later.c.document).label("after"),
        )
        .select_from(spans)
        .join(nodes, nodes.c.id == spans.c.node)
        .outerjoin(standings, same_now)
        .outerjoin(later, same_then)
        .where(here)
        .order_by(nodes.c.node_id, spans.c.part)
    )
    with database.reading() as connection:
        return [Superseded(*row) for row in connection.execute(query)]


def records_of_nodes(database: Database, run_id: str, node_ids: Collection[str]) -> Iterator[RunRecord]:
    """The records of some nodes in a run, as far as they are still there."""
    query = RECORDS.where(runs.c.run_id == run_id)
    for wanted in chunks(sorted(node_ids)):
        with database.reading() as connection:
            rows = connection.execute(query.where(nodes.c.node_id.in_(wanted))).all()
        yield from (parsed(RunRecord, row) for row in rows)
