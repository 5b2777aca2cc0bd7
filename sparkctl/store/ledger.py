"""The ledger of custody on disk: entries are added, and nothing of it is ever changed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from sparkctl.model.ledger import GENESIS, LedgerEntry, LedgerFact, entered
from sparkctl.store.database import Database
from sparkctl.store.schema import ledger

_PAGE = 1000


class Ledger:
    """The ledger of one store. Every method blocks on the disk and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, facts: Sequence[LedgerFact], now: datetime) -> list[LedgerEntry]:
        """Enter facts, all of them or none; on disk when this returns.

        A clock that was set back does not set the ledger back: no entry is older than the one before it.
        """
        with self._database.writing() as connection:
            return add_entries(connection, facts, now)

    def entries(self, node_id: str | None = None) -> Iterator[LedgerEntry]:
        """The entries, oldest first; of one node, or all. Raises ValidationError for a damaged one."""
        query = select(ledger.c.body).order_by(ledger.c.seq)
        if node_id is not None:
            query = query.where(ledger.c.node_id == node_id)
        with self._database.reading() as connection:
            for page in connection.execute(query).scalars().partitions(_PAGE):
                yield from (LedgerEntry.model_validate_json(body) for body in page)


def add_entries(connection: Connection, facts: Sequence[LedgerFact], now: datetime) -> list[LedgerEntry]:
    """Enter facts in a transaction that is open."""
    last = connection.execute(select(ledger).order_by(ledger.c.seq.desc()).limit(1)).one_or_none()
    seq, previous = (last.seq, last.sha256) if last else (0, GENESIS)
    at = max(now.astimezone(UTC), LedgerEntry.model_validate_json(last.body).at) if last else now.astimezone(UTC)
    made = []
    for number, fact in enumerate(facts, seq + 1):
        entry = entered(fact, seq=number, at=at, previous=previous)
        previous = entry.sha256
        made.append(entry)
    rows = [
        {"seq": one.seq, "sha256": one.sha256, "kind": one.kind, "node_id": one.node_id, "body": one.canonical.decode()}
        for one in made
    ]
    if rows:
        connection.execute(insert(ledger), rows)
    return made
