"""Runs of playbooks on disk: plans, approvals, journals, and who may write them.

Whoever drives a run claims it and gets a fence, a number that only grows. Every record is written under that fence, in
the transaction that looks whether it is still the newest: a process that was paused for an hour, or a second bastion,
can add nothing to a journal that somebody else has taken up.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, insert, select, update

from sparkctl.errors import BusyError, RefusedError, UsageError
from sparkctl.model.event import Addressed
from sparkctl.model.journal import GENESIS, Event, JournalEntry
from sparkctl.model.plan import Approval, Plan
from sparkctl.store.database import Database, chunks
from sparkctl.store.documents import COLUMNS, ids_of, pack, put_all, unpack
from sparkctl.store.entries import ClaimedRun, PlaybookRun
from sparkctl.store.node_numbers import node_numbers
from sparkctl.store.outbox_put import put_events
from sparkctl.store.schema import approvals, documents, journal, node_fences, nodes, playbook_runs

_PAGE = 1000

Tell = Callable[[Sequence[JournalEntry]], Sequence[Addressed]]
"""From records to what goes into the outbox."""


def nobody(_entries: Sequence[JournalEntry]) -> Sequence[Addressed]:
    """Put nothing into the outbox."""
    return ()


class Journals:
    """The runs of playbooks of one store. Every method is one transaction, and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_plan(self, plan: Plan) -> None:
        """Keep a plan, whose run begins when somebody claims it."""
        with self._database.writing() as connection:
            put_all(connection, [pack(plan.canonical.decode())])
            row = {
                "run_id": plan.run_id,
                "playbook": plan.playbook,
                "planned_at": plan.planned_at,
                "plan_sha256": plan.sha256,
                "plan": ids_of(connection, [plan.sha256])[plan.sha256],
            }
            connection.execute(insert(playbook_runs), row)

    def runs(self, limit: int | None = None) -> list[PlaybookRun]:
        """The last runs, newest first."""
        with self._database.reading() as connection:
            query = select(playbook_runs).order_by(playbook_runs.c.id.desc()).limit(limit)
            return [_run(row) for row in connection.execute(query)]

    def run(self, run_id: str) -> PlaybookRun:
        """A run by its id; raises UsageError for one that is not known."""
        with self._database.reading() as connection:
            return _run(_row(connection, run_id))

    def plan(self, run_id: str) -> Plan:
        """The plan of a run; raises RefusedError when it is not the one whose hash was kept."""
        with self._database.reading() as connection:
            row = _row(connection, run_id)
            stored = connection.execute(select(*COLUMNS).where(documents.c.id == row.plan)).one()
        plan = Plan.model_validate_json(unpack(*stored))
        if plan.sha256 != row.plan_sha256:
            raise RefusedError(
                f"the plan of {run_id} is not the one that was kept: its hash is {plan.sha256}",
                hint="somebody changed the store; make a new plan",
            )
        return plan

    def entries(self, run_id: str) -> Iterator[JournalEntry]:
        """The journal of a run, oldest first. Raises RefusedError where the chain does not hold."""
        with self._database.reading() as connection:
            query = select(journal).where(journal.c.run == _row(connection, run_id).id).order_by(journal.c.seq)
            previous = GENESIS
            for page in connection.execute(query).partitions(_PAGE):
                for row in page:
                    entry = _believed(row, previous, run_id)
                    previous = row.sha256
                    yield entry

    def held_nodes(self) -> dict[str, str]:
        """The nodes that runs have in hand, each with the id of its run."""
        query = (
            select(nodes.c.node_id, playbook_runs.c.run_id)
            .join(node_fences, node_fences.c.node == nodes.c.id)
            .join(playbook_runs, playbook_runs.c.id == node_fences.c.run)
        )
        with self._database.reading() as connection:
            return {row.node_id: row.run_id for row in connection.execute(query)}

    def approve(self, run_id: str, approval: Approval) -> None:
        """Keep an approval; one by the same key takes the place of that before it."""
        with self._database.writing() as connection:
            run = _row(connection, run_id)
            key = {"run": run.id, "fingerprint": approval.fingerprint}
            connection.execute(approvals.delete().where(*(approvals.c[name] == value for name, value in key.items())))
            connection.execute(insert(approvals), key | {"body": approval.model_dump_json()})

    def approvals(self, run_id: str) -> list[Approval]:
        """The approvals of a run, whoever they are of; raises RefusedError for one that is none any more."""
        with self._database.reading() as connection:
            query = select(approvals.c.body).where(approvals.c.run == _row(connection, run_id).id)
            bodies = list(connection.execute(query).scalars())
        try:
            return [Approval.model_validate_json(body) for body in bodies]
        except ValidationError as error:
            raise RefusedError(
                f"an approval of {run_id} is not what was written",
                hint="somebody changed the store; make a new plan",
            ) from error

    def claim(
        self,
        run_id: str,
        node_ids: Sequence[str],
        holder: str,
        *,
        now: datetime,
        until: datetime,
        gone: Callable[[str], bool],
    ) -> ClaimedRun:
        """Take a run, and its nodes, in hand until a moment; `gone` says of a holder that it has ended for certain.

        Raises BusyError while another holds it, or another run has one of the nodes.
        """
        with self._database.writing() as connection:
            row = _row(connection, run_id)
            if row.ended_at is not None:
                raise UsageError(f"the run {run_id} is over", hint=f"read it: sparkctl playbook status {run_id}")
            if row.holder is not None and row.leased_until > now and not gone(row.holder):
                raise BusyError(
                    f"{run_id} is driven by {row.holder}", hint="wait until that has ended, or end it where it runs"
                )
            fence = row.fence + 1
            fences = _take_nodes(connection, row, node_ids)
            change = {"fence": fence, "holder": holder, "leased_until": until}
            connection.execute(update(playbook_runs).where(playbook_runs.c.id == row.id).values(change))
            return ClaimedRun(run_id, row.id, fence, fences)

    def append(
        self,
        claim: ClaimedRun,
        events: Sequence[Event],
        *,
        now: datetime,
        until: datetime,
        texts: Sequence[str] = (),
        close: bool = False,
        tell: Tell = nobody,
    ) -> list[JournalEntry]:
        """Write records and keep the run until a moment; on disk when this returns. `texts` are documents they name.

        What `tell` makes of the records is in the outbox then, too.

        With `close` the run is over, and its nodes are free. Raises RefusedError when somebody else has taken the run.
        """
        packed = [pack(text) for text in texts]
        with self._database.writing() as connection:
            row = connection.execute(select(playbook_runs).where(playbook_runs.c.id == claim.number)).one()
            if row.fence != claim.fence:
                raise RefusedError(
                    f"{claim.run_id} was taken up by {row.holder or 'somebody else'} meanwhile",
                    hint=f"nothing more is done here; see sparkctl playbook status {claim.run_id}",
                )
            made = _chained(connection, claim, events, now)
            put_all(connection, packed)
            put_events(connection, tell(made))
            change: dict[str, Any] = {"leased_until": until}
            if close:
                change = {"leased_until": None, "holder": None, "ended_at": made[-1].at}
                connection.execute(update(node_fences).where(node_fences.c.run == claim.number).values(run=None))
            connection.execute(update(playbook_runs).where(playbook_runs.c.id == claim.number).values(change))
            return made

    def let_go(self, claim: ClaimedRun) -> None:
        """Give a run back that is not over, so that another process may take it up at once; its nodes stay its own."""
        with self._database.writing() as connection:
            ours = (playbook_runs.c.id == claim.number) & (playbook_runs.c.fence == claim.fence)
            connection.execute(update(playbook_runs).where(ours).values(holder=None, leased_until=None))

    def document(self, sha256: str) -> bytes | None:
        """A document that a record names."""
        with self._database.reading() as connection:
            row = connection.execute(select(*COLUMNS).where(documents.c.sha256 == sha256)).one_or_none()
            return None if row is None else unpack(*row)


def _believed(row: Row[Any], previous: str, run_id: str) -> JournalEntry:
    """A record that is the bytes that were written, behind the record that was there then; raises RefusedError."""
    try:
        entry = JournalEntry.model_validate_json(row.body)
    except ValidationError:
        entry = None
    digest = hashlib.sha256(row.body.encode()).hexdigest()
    whole = entry is not None and digest == row.sha256 and entry.previous == previous
    if entry is None or not whole or (entry.seq, entry.run_id) != (row.seq, run_id):
        raise RefusedError(
            f"record {row.seq} of the journal of {run_id} is not what was written",
            hint="somebody changed the store: nothing is done on the word of this journal",
        )
    return entry


def _row(connection: Connection, run_id: str) -> Row[Any]:
    row = connection.execute(select(playbook_runs).where(playbook_runs.c.run_id == run_id)).one_or_none()
    if row is None:
        raise UsageError(f"there is no plan or run {run_id!r}", hint="sparkctl playbook status lists them")
    return row


def _run(row: Row[Any]) -> PlaybookRun:
    return PlaybookRun(
        run_id=row.run_id,
        playbook=row.playbook,
        planned_at=row.planned_at,
        plan_sha256=row.plan_sha256,
        ended_at=row.ended_at,
        holder=row.holder,
        leased_until=row.leased_until,
        fence=row.fence,
    )


def _take_nodes(connection: Connection, run: Row[Any], node_ids: Sequence[str]) -> dict[str, int]:
    """Give every node to the run, each with the next number of its own."""
    numbers = node_numbers(connection, node_ids)
    held: dict[int, Row[Any]] = {}
    for chunk in chunks(list(numbers.values())):
        ours = node_fences.c.node.in_(chunk)
        held |= {row.node: row for row in connection.execute(select(node_fences).where(ours))}
        connection.execute(node_fences.delete().where(ours))
    for name, number in numbers.items():
        if number in held and held[number].run not in (None, run.id):
            other = connection.execute(select(playbook_runs.c.run_id).where(playbook_runs.c.id == held[number].run))
            raise BusyError(
                f"{name} is in the hands of the run {other.scalar_one()}",
                hint="end that run first: sparkctl playbook status",
            )
    fences = {name: (held[number].fence if number in held else 0) + 1 for name, number in numbers.items()}
    rows = [{"node": numbers[name], "fence": fence, "run": run.id} for name, fence in fences.items()]
    if rows:
        connection.execute(insert(node_fences), rows)
    return fences


def _chained(connection: Connection, claim: ClaimedRun, events: Sequence[Event], now: datetime) -> list[JournalEntry]:
    query = select(journal).where(journal.c.run == claim.number).order_by(journal.c.seq.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    seq, previous, at = 0, GENESIS, now.astimezone(UTC)
    if last is not None:
        # A clock that was set back does not set the journal back.
        seq, previous, at = last.seq, last.sha256, max(at, JournalEntry.model_validate_json(last.body).at)
    made, rows = [], []
    for number, event in enumerate(events, seq + 1):
        entry = JournalEntry(
            run_id=claim.run_id, seq=number, at=at, fence=claim.fence, previous=previous, event=event
        )  # fmt: skip
        body = entry.canonical
        previous = hashlib.sha256(body).hexdigest()
        made.append(entry)
        rows.append({"run": claim.number, "seq": number, "sha256": previous, "body": body.decode()})
    if rows:
        connection.execute(insert(journal), rows)
    return made
