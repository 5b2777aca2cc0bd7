"""Runs in the store: begun, finished, or found abandoned; one short transaction each."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert, select, update

from sparkctl.model.event import Addressed
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.reports import RunReport
from sparkctl.model.sink import Spool
from sparkctl.store.database import Database
from sparkctl.store.documents import ids_of, pack, put_all
from sparkctl.store.entries import RunKind, RunState
from sparkctl.store.outbox_put import keep_within, put_events
from sparkctl.store.schema import runs


def begin_run(database: Database, start: RunStart, kind: RunKind, asked: str) -> None:
    """Note that a run has begun in this process; the caller holds the lock, so any other running one is dead."""
    with database.writing() as connection:
        _refuse_known_run(connection, start.run_id)
        _mark_interrupted(connection)
        row = asdict(start) | {
            "kind": kind,
            "asked": asked,
            "state": RunState.RUNNING,
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        connection.execute(insert(runs), row)


def finish_run(
    database: Database, report: RunReport, letters: Sequence[Addressed], spools: Mapping[str, Spool]
) -> None:
    """Store the report of a running run and close it, and put into the outbox what is to be told of it."""
    document = pack(report.model_dump_json())
    changed: dict[str, object] = {
        "state": RunState.INTERRUPTED if report.interrupted else RunState.FINISHED,
        "finished_at": report.finished_at,
    }
    with database.writing() as connection:
        put_all(connection, [document])
        changed["report"] = ids_of(connection, [document.sha256])[document.sha256]
        running = (runs.c.run_id == report.run_id) & (runs.c.state == RunState.RUNNING)
        if connection.execute(update(runs).where(running).values(changed)).rowcount != 1:
            raise ValueError(f"{report.run_id} is not a running run")
        put_events(connection, letters)
        keep_within(connection, spools)


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
