"""The newest visit to each of many nodes, found from the newest run backwards."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select

from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Outcome
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.entries import RunKind, VisitRef
from sparkctl.store.reads import parsed
from sparkctl.store.schema import documents, nodes, runs, standings, visits
from sparkctl.store.vectors import HEALTH, Vector


def newest_visits(
    database: Database, node_ids: Collection[str], kind: RunKind | None, *, answered: bool
) -> dict[str, VisitRef]:
    """The last visit to each node of which there is a record, in runs of one kind or of any.

    With `answered` it is the last that the node answered. A run of the whole fleet settles nearly all nodes, so
    that few runs are looked at.
    """
    began = select(runs.c.id, runs.c.run_id, runs.c.started_at).order_by(runs.c.id.desc())
    of_run = (
        select(nodes.c.node_id, visits.c.at_s, visits.c.record, *COLUMNS)
        .select_from(visits)
        .join(nodes, nodes.c.id == visits.c.node)
        .join(documents, documents.c.id == visits.c.vector)
        .where(visits.c.run == bindparam("run"), visits.c.record.is_not(None))
        .where(nodes.c.node_id.in_(bindparam("wanted", expanding=True)))
    )
    found = dict[str, VisitRef]()
    with database.reading() as connection:
        waiting = _asked(connection, node_ids, judged=answered and kind is RunKind.HEALTH)
        for run in connection.execute(began if kind is None else began.where(runs.c.kind == kind)).all():
            if not waiting:
                break
            for wanted in chunks(waiting):
                for row in connection.execute(of_run, {"run": run.id, "wanted": wanted}):
                    if not answered or _outcome(row[-4:]) is Outcome.REPORTED:
                        at = run.started_at + timedelta(seconds=row.at_s)
                        found[row.node_id] = VisitRef(run.run_id, at, row.record)
            waiting -= found.keys()
    return found


def _asked(connection: Connection, node_ids: Collection[str], *, judged: bool) -> set[str]:
    """Those of the nodes that were ever asked; `judged`: that ever were. For the others no run need be looked at."""
    query = select(nodes.c.node_id).where(nodes.c.node_id.in_(bindparam("wanted", expanding=True)))
    if judged:
        query = query.join(standings, (standings.c.node == nodes.c.id) & (standings.c.part == HEALTH))
    return {name for wanted in chunks(node_ids) for name in connection.execute(query, {"wanted": wanted}).scalars()}


def _outcome(stored: tuple[str, str, int, bytes]) -> Outcome:
    return Vector.parse(unpack(*stored).decode()).outcome


def record_of(database: Database, visit: VisitRef) -> RunRecord | None:
    """The record of a visit; None when it has been let go of since."""
    with database.reading() as connection:
        row = connection.execute(select(*COLUMNS).where(documents.c.id == visit.record)).first()
    return parsed(RunRecord, row) if row else None
