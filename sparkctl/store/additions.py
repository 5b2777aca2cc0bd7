"""Outcomes into the store: many at once in one transaction, because a commit costs more than what is in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from sparkctl.model.outcome import NodeOutcome, statuses
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Outcome, Status
from sparkctl.store.database import Database
from sparkctl.store.documents import Packed, fetch, pack, put
from sparkctl.store.entries import RunState
from sparkctl.store.schema import changes, documents, records, runs, standings


class _Addition:
    """An outcome with its documents ready to be stored."""

    def __init__(self, outcome: NodeOutcome) -> None:
        self.outcome = outcome
        self.document = pack(outcome.record)
        self.verdict: Packed | None = pack(outcome.judgement.verdict) if outcome.judgement else None


def add_outcomes(database: Database, outcomes: Sequence[NodeOutcome]) -> None:
    """Store the outcomes of one run: their records, and what has changed since each node's last report."""
    additions = [_Addition(outcome) for outcome in outcomes]
    with database.writing() as connection:
        _refuse_closed_run(connection, {outcome.run_id for outcome in outcomes})
        reports = [addition for addition in additions if addition.verdict]
        before = _standings(connection, [addition.outcome.node_id for addition in reports])
        moved = [each for each in reports if each.verdict and before.get(each.outcome.node_id) != each.verdict.sha256]
        for verdict in {each.verdict for each in moved if each.verdict}:
            put(connection, verdict)
        _add_records(connection, additions)
        if moved:
            _note_changes(connection, moved, before)
            _set_standings(connection, moved)


def _refuse_closed_run(connection: Connection, run_ids: set[str]) -> None:
    open_runs = select(runs.c.run_id).where(runs.c.run_id.in_(run_ids), runs.c.state == RunState.RUNNING)
    if closed := run_ids - set(connection.execute(open_runs).scalars()):
        raise ValueError(f"{', '.join(sorted(closed))} is not a running run")


def _add_records(connection: Connection, additions: Sequence[_Addition]) -> None:
    try:
        connection.execute(insert(documents), [addition.document.row for addition in additions])
        connection.execute(insert(records), [_record_row(addition) for addition in additions])
    except IntegrityError as error:
        names = ", ".join(addition.outcome.node_id for addition in additions)
        raise ValueError(f"the run already has a record of {names}, or of one of them") from error


def _record_row(addition: _Addition) -> dict[str, Any]:
    outcome, judgement, failure = addition.outcome, addition.outcome.judgement, addition.outcome.failure
    return {
        "run_id": outcome.run_id,
        "node_id": outcome.node_id,
        "ts": outcome.ts,
        "outcome": Outcome.REPORTED if judgement else Outcome.UNREPORTED,
        "stage": failure.stage if failure else None,
        "cause": failure.cause if failure else None,
        "worst": judgement.rollup.worst if judgement else None,
        "completeness": judgement.rollup.completeness if judgement else None,
        "origin": judgement.origin if judgement else None,
        "document_sha256": addition.document.sha256,
        "verdict_sha256": addition.verdict.sha256 if addition.verdict else None,
    }


def _standings(connection: Connection, node_ids: Sequence[str]) -> dict[str, str]:
    """The verdict of each node's last report, by its digest."""
    query = select(standings.c.node_id, standings.c.verdict_sha256).where(standings.c.node_id.in_(node_ids))
    return {row.node_id: row.verdict_sha256 for row in connection.execute(query)}


def _note_changes(connection: Connection, moved: Sequence[_Addition], before: dict[str, str]) -> None:
    known = {sha256: statuses(fetch(connection, sha256)) for sha256 in set(before.values())}
    rows = [
        {"record_id": _record_id(connection, each.outcome), **change}
        for each in moved
        if (previous := before.get(each.outcome.node_id))
        for change in _changes(each.outcome, known[previous])
    ]
    if rows:
        connection.execute(insert(changes), rows)


def _record_id(connection: Connection, outcome: NodeOutcome) -> int:
    same = (records.c.run_id == outcome.run_id) & (records.c.node_id == outcome.node_id)
    found: int = connection.execute(select(records.c.id).where(same)).scalar_one()
    return found


def _changes(outcome: NodeOutcome, previous: dict[str, Status]) -> Iterator[dict[str, Any]]:
    """A row for each check that is otherwise than before."""
    envelope = RunRecord.model_validate_json(outcome.record).envelope
    for finding in envelope.data.findings if envelope and envelope.data else ():
        if previous.get(finding.check, finding.status) != finding.status:
            yield {
                "check_id": finding.check,
                "node_id": outcome.node_id,
                "previous": previous[finding.check],
                "current": finding.status,
                "reason": finding.reason,
                "summary": finding.summary,
            }


def _set_standings(connection: Connection, moved: Sequence[_Addition]) -> None:
    rows = [{"node_id": each.outcome.node_id, "verdict_sha256": each.verdict.sha256} for each in moved if each.verdict]
    connection.execute(delete(standings).where(standings.c.node_id.in_([row["node_id"] for row in rows])))
    connection.execute(insert(standings), rows)
