"""Questions to the store; none of them needs a lock."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Select, func, select

from sparkctl.errors import StoreError
from sparkctl.model.outcome import statuses
from sparkctl.model.run import RunRecord
from sparkctl.model.sweep import SweepReport
from sparkctl.model.vocabulary import Cause, Origin, Outcome, Stage, Status, UnknownReason
from sparkctl.store.database import Database
from sparkctl.store.documents import fetch, unpack
from sparkctl.store.entries import HistoryEntry, RunEntry, RunState, StatusChange
from sparkctl.store.schema import changes, documents, records, runs

_PAGE = 100
_DOCUMENT = (documents.c.sha256, documents.c.codec, documents.c.size, documents.c.content)


def any_running(database: Database) -> bool:
    """Whether a run is called running."""
    with database.reading() as connection:
        return connection.execute(select(runs.c.id).where(runs.c.state == RunState.RUNNING)).first() is not None


def newest_record(database: Database, node_id: str) -> RunRecord | None:
    """The record that was stored last for this node."""
    query = (
        select(*_DOCUMENT)
        .join(records, records.c.document_sha256 == documents.c.sha256)
        .where(records.c.node_id == node_id)
        .order_by(records.c.id.desc())
        .limit(1)
    )
    with database.reading() as connection:
        row = connection.execute(query).first()
    return _record(row) if row else None


def records_of(database: Database, run_id: str) -> Iterator[RunRecord]:
    """The records of a run in the order they were stored, read page by page so that no transaction stays open."""
    query = (
        select(records.c.id, *_DOCUMENT)
        .join(records, records.c.document_sha256 == documents.c.sha256)
        .where(records.c.run_id == run_id)
        .order_by(records.c.id)
        .limit(_PAGE)
    )
    last = 0
    while True:
        with database.reading() as connection:
            page = connection.execute(query.where(records.c.id > last)).all()
        yield from (_record(row[1:]) for row in page)
        if len(page) < _PAGE:
            return
        last = page[-1].id


def history(database: Database, node_id: str, limit: int) -> list[HistoryEntry]:
    """The last visits to a node, newest first."""
    visits = select(records).where(records.c.node_id == node_id).order_by(records.c.id.desc()).limit(limit)
    with database.reading() as connection:
        rows = connection.execute(visits).all()
        verdicts = {sha256: statuses(fetch(connection, sha256)) for row in rows if (sha256 := row.verdict_sha256)}
    return [
        HistoryEntry(
            run_id=row.run_id,
            ts=row.ts,
            outcome=Outcome(row.outcome),
            stage=Stage(row.stage) if row.stage else None,
            cause=Cause(row.cause) if row.cause else None,
            worst=Status(row.worst) if row.worst else None,
            completeness=row.completeness,
            origin=Origin(row.origin) if row.origin else None,
            failed=_checks(verdicts.get(row.verdict_sha256), Status.FAIL),
            warned=_checks(verdicts.get(row.verdict_sha256), Status.WARN),
        )
        for row in rows
    ]


def _checks(verdict: dict[str, Status] | None, status: Status) -> tuple[str, ...]:
    return tuple(check for check, found in verdict.items() if found is status) if verdict else ()


def recent_runs(database: Database, limit: int) -> list[RunEntry]:
    """The last runs, newest first."""
    return _run_entries(database, _RUNS.order_by(runs.c.id.desc()).limit(limit))


def run_named(database: Database, run_id: str) -> RunEntry | None:
    """One run, None when it is not known."""
    found = _run_entries(database, _RUNS.where(runs.c.run_id == run_id))
    return found[0] if found else None


_RUNS = select(
    runs,
    select(func.count()).where(records.c.run_id == runs.c.run_id).scalar_subquery().label("recorded"),
    *_DOCUMENT,
).outerjoin(documents, documents.c.sha256 == runs.c.report_sha256)


def _run_entries(database: Database, query: Select[Any]) -> list[RunEntry]:
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return [
        RunEntry(
            run_id=row.run_id,
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
            report=_report(row[-4:]) if row.report_sha256 else None,
        )
        for row in rows
    ]


def changes_of(database: Database, node_id: str) -> list[StatusChange]:
    """Every change of status of every check of a node, oldest first; visits without a report are passed over."""
    query = (
        select(changes, records.c.ts, records.c.run_id)
        .join(records, records.c.id == changes.c.record_id)
        .where(changes.c.node_id == node_id)
        .order_by(changes.c.record_id, changes.c.check_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return [
        StatusChange(
            check=row.check_id,
            previous=Status(row.previous),
            current=Status(row.current),
            reason=UnknownReason(row.reason) if row.reason else None,
            summary=row.summary,
            at=row.ts,
            run_id=row.run_id,
        )
        for row in rows
    ]


def _record(stored: Sequence[Any]) -> RunRecord:
    sha256, codec, size, content = stored
    try:
        return RunRecord.model_validate_json(unpack(sha256, codec, size, content))
    except ValidationError as error:
        raise _unreadable(sha256, error) from error


def _report(stored: Sequence[Any]) -> SweepReport:
    sha256, codec, size, content = stored
    try:
        return SweepReport.model_validate_json(unpack(sha256, codec, size, content))
    except ValidationError as error:
        raise _unreadable(sha256, error) from error


def _unreadable(sha256: str, error: ValidationError) -> StoreError:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return StoreError(
        f"the document {sha256} in the store is not valid at {where or 'its top'}: {first['msg']}",
        hint="it was written by another version of sparkctl: read it with that one",
    )
