"""Questions to the store about runs and records; none of them needs a lock."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Select, func, select

from sparkctl.errors import StoreError
from sparkctl.model.bundle_report import BundleReport
from sparkctl.model.collection import CollectReport
from sparkctl.model.reports import RunReport
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.run import RunRecord
from sparkctl.model.sweep import SweepReport
from sparkctl.store.database import Database
from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.entries import RunEntry, RunKind, RunState
from sparkctl.store.schema import documents, nodes, runs, visits

ModelT = TypeVar("ModelT", bound=BaseModel)
_PAGE = 100
_REPORTS: dict[RunKind, type[RunReport]] = {
    RunKind.HEALTH: SweepReport,
    RunKind.COLLECT: CollectReport,
    RunKind.RESET: ResetReport,
    RunKind.BUNDLE: BundleReport,
}


def any_running(database: Database) -> bool:
    """Whether a run is called running."""
    with database.reading() as connection:
        return connection.execute(select(runs.c.id).where(runs.c.state == RunState.RUNNING)).first() is not None


RECORDS = (
    select(*COLUMNS)
    .select_from(runs)
    .join(visits, visits.c.run == runs.c.id)
    .join(nodes, nodes.c.id == visits.c.node)
    .join(documents, documents.c.id == visits.c.record)
)
"""The records of all visits, as `parsed` takes them; to be narrowed by runs and nodes."""


def last_records(database: Database, node_id: str, kind: RunKind | None, limit: int) -> list[RunRecord]:
    """The records that were stored last for a node, of one kind of run or of any, newest first."""
    query = RECORDS.where(nodes.c.node_id == node_id).order_by(runs.c.id.desc()).limit(limit)
    with database.reading() as connection:
        rows = connection.execute(query if kind is None else query.where(runs.c.kind == kind)).all()
    return [parsed(RunRecord, row) for row in rows]


def records_of(database: Database, run_id: str) -> Iterator[RunRecord]:
    """The records of a run, read page by page so that no transaction stays open."""
    query = (
        select(visits.c.node, *COLUMNS)
        .join(runs, runs.c.id == visits.c.run)
        .join(documents, documents.c.id == visits.c.record)
        .where(runs.c.run_id == run_id)
        .order_by(visits.c.node)
        .limit(_PAGE)
    )
    last = 0
    while True:
        with database.reading() as connection:
            page = connection.execute(query.where(visits.c.node > last)).all()
        yield from (parsed(RunRecord, row[1:]) for row in page)
        if len(page) < _PAGE:
            return
        last = page[-1].node


def recent_runs(database: Database, limit: int, kind: RunKind | None) -> list[RunEntry]:
    """The last runs, of one kind or of any, newest first."""
    query = _RUNS if kind is None else _RUNS.where(runs.c.kind == kind)
    return _run_entries(database, query.order_by(runs.c.id.desc()).limit(limit))


def running_runs(database: Database) -> list[RunEntry]:
    """The runs that are called running, newest first."""
    return _run_entries(database, _RUNS.where(runs.c.state == RunState.RUNNING).order_by(runs.c.id.desc()))


def run_named(database: Database, run_id: str) -> RunEntry | None:
    """One run, None when it is not known."""
    found = _run_entries(database, _RUNS.where(runs.c.run_id == run_id))
    return found[0] if found else None


_RUNS = select(
    runs,
    select(func.count()).where(visits.c.run == runs.c.id).scalar_subquery().label("recorded"),
    *COLUMNS,
).outerjoin(documents, documents.c.id == runs.c.report)


def _run_entries(database: Database, query: Select[Any]) -> list[RunEntry]:
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return [
        RunEntry(
            run_id=row.run_id,
            kind=RunKind(row.kind),
            asked=row.asked,
            tool=row.tool,
            state=RunState(row.state),
            started_at=row.started_at,
            finished_at=row.finished_at,
            selector=row.selector,
            program_sha256=row.program_sha256,
            shard=row.shard,
            resumes=row.resumes,
            selected=row.selected,
            recorded=row.recorded,
            pid=row.pid,
            host=row.host,
            report=parsed(_REPORTS[RunKind(row.kind)], row[-4:]) if row.report else None,
        )
        for row in rows
    ]


def parsed(model: type[ModelT], stored: Sequence[Any]) -> ModelT:
    """A stored document as its model; raises StoreError when it is none that this version knows."""
    sha256, codec, size, content = stored
    try:
        return model.model_validate_json(unpack(sha256, codec, size, content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreError(
            f"the document {sha256} in the store is not valid at {where or 'its top'}: {first['msg']}",
            hint="it was written by another version of sparkctl: read it with that one",
        ) from error
