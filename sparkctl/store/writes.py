"""What changes the store, one short transaction each."""

import os
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from sparkctl.contract.canonical import canonical_json
from sparkctl.model.run import RunRecord
from sparkctl.model.sweep import SweepReport
from sparkctl.store.database import Database
from sparkctl.store.documents import pack, put
from sparkctl.store.entries import RunState
from sparkctl.store.schema import findings, newest, records, runs


def begin_run(
    database: Database,
    *,
    run_id: str,
    tool: str,
    started_at: datetime,
    selector: str,
    program_sha256: str,
    selected: int,
    shard: str | None = None,
    resumes: str | None = None,
) -> None:
    """Note that a run has begun in this process; the caller holds the lock, so any other running one is dead."""
    with database.writing() as connection:
        _refuse_known_run(connection, run_id)
        _mark_interrupted(connection)
        row = {
            "run_id": run_id,
            "tool": tool,
            "state": RunState.RUNNING,
            "started_at": started_at,
            "selector": selector,
            "program_sha256": program_sha256,
            "shard": shard,
            "resumes": resumes,
            "selected": selected,
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        connection.execute(insert(runs), row)


def add_record(database: Database, record: RunRecord) -> None:
    """Store a record, its findings and its place as the newest of its node."""
    document = pack(record)
    row = _record_row(record, document.sha256)
    with database.writing() as connection:
        _refuse_stray_record(connection, record)
        put(connection, document)
        record_id = connection.execute(insert(records).returning(records.c.id), row).scalar_one()
        if found := list(_finding_rows(record, record_id)):
            connection.execute(insert(findings), found)
        _set_newest(connection, record, record_id)


def finish_run(database: Database, report: SweepReport) -> None:
    """Store the report of a running run and close it."""
    document = pack(report)
    changed = {
        "state": RunState.INTERRUPTED if report.interrupted else RunState.FINISHED,
        "finished_at": report.finished_at,
        "report_sha256": document.sha256,
    }
    with database.writing() as connection:
        put(connection, document)
        running = (runs.c.run_id == report.run_id) & (runs.c.state == RunState.RUNNING)
        if connection.execute(update(runs).where(running).values(changed)).rowcount != 1:
            raise ValueError(f"{report.run_id} is not a running run")


def settle_abandoned(database: Database) -> None:
    """Call interrupted whatever is still called running; only for a caller who knows that nobody sweeps."""
    with database.writing() as connection:
        _mark_interrupted(connection)


def _mark_interrupted(connection: Connection) -> None:
    abandoned = runs.c.state == RunState.RUNNING
    connection.execute(update(runs).where(abandoned).values(state=RunState.INTERRUPTED))


def _refuse_known_run(connection: Connection, run_id: str) -> None:
    if connection.execute(select(runs.c.id).where(runs.c.run_id == run_id)).first() is not None:
        raise ValueError(f"there is already a run {run_id}")


def _refuse_stray_record(connection: Connection, record: RunRecord) -> None:
    state = connection.execute(select(runs.c.state).where(runs.c.run_id == record.run_id)).scalar()
    if state != RunState.RUNNING:
        raise ValueError(f"{record.run_id} is not a running run")
    same = (records.c.run_id == record.run_id) & (records.c.node_id == record.node_id)
    if connection.execute(select(records.c.id).where(same)).first() is not None:
        raise ValueError(f"{record.run_id} already has a record of {record.node_id}")


def _record_row(record: RunRecord, document_sha256: str) -> dict[str, Any]:
    failure, envelope = record.failure, record.envelope
    rollup = envelope.data.rollup if envelope and envelope.data else None
    return {
        "run_id": record.run_id,
        "node_id": record.node_id,
        "ts": record.ts,
        "outcome": record.outcome,
        "stage": failure.stage if failure else None,
        "cause": failure.cause if failure else None,
        "worst": rollup.worst if rollup else None,
        "completeness": rollup.completeness if rollup else None,
        "origin": envelope.meta.origin if envelope else None,
        "document_sha256": document_sha256,
    }


def _finding_rows(record: RunRecord, record_id: int) -> Iterator[dict[str, Any]]:
    data = record.envelope.data if record.envelope else None
    for finding in data.findings if data else ():
        yield {
            "record_id": record_id,
            "check_id": finding.check,
            "node_id": record.node_id,
            "status": finding.status,
            "reason": finding.reason,
            "value": None if finding.value is None else canonical_json(finding.value).decode(),
            "unit": finding.unit,
            "summary": finding.summary,
        }


def _set_newest(connection: Connection, record: RunRecord, record_id: int) -> None:
    place = {"record_id": record_id, "run_id": record.run_id, "ts": record.ts}
    changed = connection.execute(update(newest).where(newest.c.node_id == record.node_id).values(place))
    if changed.rowcount == 0:
        connection.execute(insert(newest), {"node_id": record.node_id, **place})
