"""Checks whose status is not that of the report before."""

from typing import Any

from sqlalchemy import Connection, insert

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.outcome import statuses
from sparkctl.model.run import RunRecord
from sparkctl.store.documents import fetch
from sparkctl.store.schema import changes


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
