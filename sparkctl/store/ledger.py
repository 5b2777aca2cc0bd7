"""The ledger of custody on disk: entries are added, and nothing of it is ever changed."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, insert, select, update

from sparkctl.errors import StoreError
from sparkctl.model.ledger import GENESIS, CheckpointRow, LedgerEntry, LedgerFact, LedgerRow, entered
from sparkctl.model.ledger_checkpoint import Checkpoint, CustodySignature
from sparkctl.store.database import Database, any_text
from sparkctl.store.schema import checkpoints, ledger, meta

_PAGE = 1000
_ORIGIN = "ledger_origin"
_SIGNATURES = TypeAdapter(list[CustodySignature])
_VERIFY = "run `sparkctl ledger verify`: it names what was changed"


class LedgerSnapshot:
    """One state of the ledger, read as it stands on disk while a transaction lasts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self) -> Iterator[LedgerRow]:
        """Every row, by its number; also such as no ledger has."""
        with any_text(self._connection):
            for page in self._connection.execute(select(ledger).order_by(ledger.c.seq)).partitions(_PAGE):
                yield from map(_row, page)

    def checkpoints(self) -> list[CheckpointRow]:
        """Every checkpoint, by its size."""
        with any_text(self._connection):
            found = self._connection.execute(select(checkpoints).order_by(checkpoints.c.size)).all()
        return [CheckpointRow(_number(row.size), _octets(row.body), _octets(row.signatures)) for row in found]

    @property
    def origin(self) -> str | None:
        """The name that checkpoints give this ledger, None before the first."""
        return self._connection.execute(select(meta.c.value).where(meta.c.key == _ORIGIN)).scalar()


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

    def add_after(
        self, look: Callable[[Iterator[LedgerEntry]], LedgerFact | None], kind: str, now: datetime
    ) -> LedgerEntry | None:
        """Enter what `look` makes of all entries of one kind, while nobody else enters anything; nothing for None."""
        with self._database.writing() as connection:
            fact = look(_entries(connection, None, kind))
            return None if fact is None else add_entries(connection, [fact], now)[0]

    def entries(self, node_id: str | None = None, kind: str | None = None) -> Iterator[LedgerEntry]:
        """The entries, oldest first; of one node and of one kind, or all. Raises StoreError for a damaged one."""
        with self._database.reading() as connection:
            yield from _entries(connection, node_id, kind)

    def signed(self) -> set[int]:
        """The numbers of entries that bear a signature, whatever it is worth."""
        with self._database.reading() as connection:
            query = select(ledger.c.seq).where(ledger.c.signature.is_not(None))
            return set(connection.execute(query).scalars())

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        """One state of all of it, as it stands on disk."""
        with self._database.reading() as connection:
            yield LedgerSnapshot(connection)

    def add_signatures(self, signatures: Mapping[int, tuple[str, str]]) -> int:
        """Put signatures beside entries: digest and signature by number; how many were put there.

        An entry that has another digest, or a signature meanwhile, is left alone.
        """
        with self._database.writing() as connection:
            return sum(
                connection.execute(
                    update(ledger)
                    .where(ledger.c.seq == seq, ledger.c.sha256 == digest, ledger.c.signature.is_(None))
                    .values(signature=signature)
                ).rowcount
                for seq, (digest, signature) in signatures.items()
            )

    def name(self, origin: str) -> str:
        """Give the ledger its name, unless it has one; the one that it has then."""
        with self._database.writing() as connection:
            found = LedgerSnapshot(connection).origin
            if found is None:
                connection.execute(insert(meta), {"key": _ORIGIN, "value": origin})
            return found or origin

    def checkpoint(self, size: int | None = None) -> tuple[Checkpoint, list[CustodySignature]] | None:
        """The newest checkpoint with its signatures, or that of a size; None where there is none.

        Raises StoreError for one that is damaged.
        """
        query = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
        with self._database.reading() as connection, any_text(connection):
            row = connection.execute(query if size is None else query.where(checkpoints.c.size == size)).one_or_none()
        if row is None:
            return None
        try:
            return Checkpoint.model_validate_json(row.body), _SIGNATURES.validate_json(row.signatures)
        except (ValidationError, UnicodeEncodeError) as error:
            raise StoreError(f"the checkpoint over {row.size} entries is damaged", hint=_VERIFY) from error

    def checkpoint_sizes(self) -> list[int]:
        """The sizes of all checkpoints, the smallest first."""
        with self._database.reading() as connection:
            return list(connection.execute(select(checkpoints.c.size).order_by(checkpoints.c.size)).scalars())

    def keep_checkpoint(self, made: Checkpoint, signatures: Sequence[CustodySignature]) -> None:
        """Keep a checkpoint, or add signatures to the one of its size; those of keys that signed it stay as they are.

        Raises StoreError when there is another one of that size.
        """
        with self._database.writing() as connection:
            row = connection.execute(select(checkpoints).where(checkpoints.c.size == made.size)).one_or_none()
            if row is None:
                values = {"size": made.size, "body": made.canonical.decode(), "signatures": _written(signatures)}
                connection.execute(insert(checkpoints), values)
                return
            if row.body != made.canonical.decode():
                raise StoreError(f"there is another checkpoint over {made.size} entries", hint=_VERIFY)
            kept = _SIGNATURES.validate_json(row.signatures)
            have = {one.fingerprint for one in kept}
            kept += [one for one in signatures if one.fingerprint not in have]
            connection.execute(
                update(checkpoints).where(checkpoints.c.size == made.size).values(signatures=_written(kept))
            )


def add_entries(connection: Connection, facts: Sequence[LedgerFact], now: datetime) -> list[LedgerEntry]:
    """Enter facts in a transaction that is open. Raises StoreError when the last entry there is damaged."""
    with any_text(connection):
        last = connection.execute(select(ledger).order_by(ledger.c.seq.desc()).limit(1)).one_or_none()
    seq, previous, at = 0, GENESIS, now.astimezone(UTC)
    if last is not None:
        before = _entry(last.seq, last.body)
        seq, previous, at = last.seq, before.sha256, max(at, before.at)
        if (before.seq, previous) != (last.seq, last.sha256):
            raise StoreError(f"entry {last.seq} of the ledger was changed: nothing is entered after it", hint=_VERIFY)
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


def _entries(connection: Connection, node_id: str | None, kind: str | None) -> Iterator[LedgerEntry]:
    query = select(ledger).order_by(ledger.c.seq)
    if node_id is not None:
        query = query.where(ledger.c.node_id == node_id)
    if kind is not None:
        query = query.where(ledger.c.kind == kind)
    with any_text(connection):
        for page in connection.execute(query).partitions(_PAGE):
            yield from map(_believed, page)


def _believed(row: Row[Any]) -> LedgerEntry:
    """An entry as it was entered, where it was entered; raises StoreError for one that was edited or moved."""
    entry = _entry(row.seq, row.body)
    digest = hashlib.sha256(_octets(row.body)).hexdigest()
    if (digest, entry.seq, entry.kind, entry.node_id) != (row.sha256, row.seq, row.kind, row.node_id):
        raise StoreError(f"entry {row.seq} of the ledger is not what was entered", hint=_VERIFY)
    return entry


def _entry(seq: object, body: Any) -> LedgerEntry:
    try:
        return LedgerEntry.model_validate_json(body)
    except (ValidationError, UnicodeEncodeError) as error:
        raise StoreError(f"entry {seq} of the ledger is damaged", hint=_VERIFY) from error


def _written(signatures: Sequence[CustodySignature]) -> str:
    return json.dumps([one.model_dump() for one in signatures])


def _row(row: Any) -> LedgerRow:
    signature = None if row.signature is None else _octets(row.signature).decode("ascii", "replace")
    node_id = None if row.node_id is None else str(row.node_id)
    return LedgerRow(_number(row.seq), str(row.sha256), str(row.kind), node_id, _octets(row.body), signature)


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _octets(value: Any) -> bytes:
    """What stands in a column that should hold a text."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogateescape")
