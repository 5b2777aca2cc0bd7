"""Checks whose status is not that of the report before."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.outcome import statuses
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Status, UnknownReason
from sparkctl.store.documents import fetch
from sparkctl.store.entries import StatusChange
from sparkctl.store.schema import changes, nodes, runs, visits

CHANGES = (
    select(nodes.c.node_id, changes, runs.c.started_at, visits.c.at_s, runs.c.run_id)
    .select_from(changes)
    .join(nodes, nodes.c.id == changes.c.node)
    .join(runs, runs.c.id == changes.c.run)
    .join(visits, (visits.c.run == changes.c.run) & (visits.c.node == changes.c.node))
)
"""Every change of every node, with all that `change_of` needs."""


def change_of(row: Any) -> StatusChange:
    """A row of CHANGES; `at` is when the visit began that saw it."""
    return StatusChange(
        check=row.check_id,
        previous=Status(row.previous),
        current=Status(row.current),
        reason=UnknownReason(row.reason) if row.reason else None,
        summary=row.summary,
        at=row.started_at + timedelta(seconds=row.at_s),
        run_id=row.run_id,
    )


def note_changes(connection: Connection, run: int, node: int, record: str, previous_sha256: str) -> None:
    """Store a row for each check of a report that has another status than in the verdict before."""
    previous = statuses(fetch(connection, previous_sha256))
    envelope = RunRecord.model_validate_json(record).envelope
    data = envelope.data if isinstance(envelope, HealthEnvelope) else None
    rows: list[dict[str, Any]] = [
        {
            "node": node,
            "run": run,
            "check_id": finding.check,
            "previous": previous[finding.check],
            "current": finding.status,
            "reason": finding.reason,
            "summary": finding.summary,
        }
        for finding in (data.findings if data else ())
        if previous.get(finding.check, finding.status) != finding.status
    ]
    if rows:
        connection.execute(insert(changes), rows)
