"""SQLite and its ways: all that another database would do differently is in this file."""

import fcntl
import os
import re
import sqlite3
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from sparkctl.errors import StoreError
from sparkctl.store.location import CHOOSE_ANOTHER, DATABASE_NAME, folder_trouble
from sparkctl.store.lock import SweepLock
from sparkctl.store.schema import OLDEST_VERSION, SCHEMA_VERSION, meta, metadata
from sparkctl.store.upgrade import upgrade

ValueT = TypeVar("ValueT")
BUSY_TIMEOUT_S = 10.0
# What another program's lock is still waited for when no time is left, since most are held for a moment only.
_LEAST_BUSY_S = 0.1
_MOST_VALUES = 500

# FULL, because a record that was shown or acted upon must survive a power cut; NORMAL in WAL mode would lose the last
# commits. It costs one flush to disk for each node.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
)

_RESTORE = "restore a backup, or move the file away to begin anew"
_TROUBLE = {
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "free some space; what was stored before is safe"),
    sqlite3.SQLITE_NOTADB: ("is not a database", _RESTORE),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _RESTORE),
    sqlite3.SQLITE_READONLY: ("is not writable", f"run as its owner, or {CHOOSE_ANOTHER}"),
    sqlite3.SQLITE_PERM: ("is not accessible", f"run as its owner, or {CHOOSE_ANOTHER}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", f"run as its owner, or {CHOOSE_ANOTHER}"),
    sqlite3.SQLITE_BUSY: (
        "is locked by another program",
        "find it with `fuser` on that file, and try again when it has ended",
    ),
    sqlite3.SQLITE_IOERR: ("could not be read or written", "look for errors of the disk in the kernel's log"),
}


# What a lack of space may look like: reading needs some for the log's index and for what is sorted.
_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_LEAST_FREE_BYTES = 64 * 1024
_TEMPORARY_FOLDERS = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - where SQLite looks, in its order


class Database:
    """A store's database file: short read and write transactions, and errors that an operator can act on.

    A transaction waits BUSY_TIMEOUT_S for another program's lock, but hardly beyond `give_up_at` (`time.monotonic()`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.give_up_at: float | None = None
        self._engine = _engine(path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction, which sees one state of the store and hinders nobody. Raises StoreError."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: all of it is on disk when it ends, or nothing. Raises StoreError."""
        # A transaction that begins as a reader and then writes may be refused half-way; this one waits its turn first.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def maintaining(self) -> Iterator[Connection]:
        """A write transaction that deletes what nothing refers to; SQLite would look for references row by row."""
        with self._transaction("BEGIN IMMEDIATE", check_references=False) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; SQLite then folds its log back into the file."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str, *, check_references: bool = True) -> Iterator[Connection]:
        options = {"begin": begin, "busy_ms": self._busy_ms(), "check_references": check_references}
        try:
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except DatabaseError as error:
            raise _trouble(self.path, error.orig) from error
        except sqlite3.Error as error:
            # While a connection is being prepared, the driver's errors come unwrapped.
            raise _trouble(self.path, error) from error

    def _busy_ms(self) -> int:
        left = BUSY_TIMEOUT_S if self.give_up_at is None else self.give_up_at - time.monotonic()
        return round(min(BUSY_TIMEOUT_S, max(_LEAST_BUSY_S, left)) * 1000)


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """Let texts that are not UTF-8, which somebody wrote past us, be read: their odd bytes become surrogates."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is ours
    driver.text_factory = _with_surrogates
    try:
        yield
    finally:
        driver.text_factory = str


def _with_surrogates(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def open_database(folder: Path, *, create: bool) -> Database:
    """Open the database of a state folder that exists; with `create`, make it when it is absent.

    One of an older version is brought to ours, which needs the lock of the folder: the caller has it with `create`.

    Raises StoreError when there is none, when it is not ours, of another version, damaged, or not writable.
    """
    path = folder / DATABASE_NAME
    size = _size(path)
    if size is None and not create:
        raise StoreError(
            f"there is no store in {folder}",
            hint=f"run `sparkctl health` or `sparkctl collect` first, or {CHOOSE_ANOTHER}",
        )
    database = Database(path)
    try:
        if not size:
            # Two first runs at once would both make the tables, and switching to WAL does not wait for its turn.
            with _alone(folder):
                _touch(path)
                _make_tables(database)
        elif _is_old(database):
            # An older sparkctl that is in the middle of a run would not keep what is new.
            with nullcontext() if create else SweepLock(folder, sys.argv), database.writing() as connection:
                if (found := _version(connection)) != str(SCHEMA_VERSION):
                    upgrade(connection, int(found or OLDEST_VERSION))
    except BaseException:
        database.close()
        raise
    return database


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Python's driver would begin and commit on its own; tables are then made outside of any transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options['busy_ms']}")
    connection.exec_driver_sql(f"PRAGMA foreign_keys = {'ON' if options['check_references'] else 'OFF'}")
    connection.exec_driver_sql(options["begin"])


def _size(path: Path) -> int | None:
    """Bytes of the file, None when there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise folder_trouble(path.parent, error) from error


def _touch(path: Path) -> None:
    """Make the file ours alone before SQLite makes it with whatever the umask allows."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise folder_trouble(path.parent, error) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_tables(database: Database) -> None:
    with database.writing() as connection:
        if inspect(connection).get_table_names():
            return
        metadata.create_all(connection)
        connection.execute(insert(meta), {"key": "schema_version", "value": str(SCHEMA_VERSION)})


def _is_old(database: Database) -> bool:
    """Whether the store can and must be brought to our version; raises StoreError when it is none, or of another."""
    with database.reading() as connection:
        tables = inspect(connection).get_table_names()
        found = _version(connection) if meta.name in tables else None
    if not tables:
        # A process that was killed between making the file and making the tables left this.
        _make_tables(database)
        return False
    if found is None or not re.fullmatch(r"[0-9]{1,9}", found):
        raise StoreError(
            f"{database.path} is a database, but not a store of sparkctl", hint=f"move it away, or {CHOOSE_ANOTHER}"
        )
    if not OLDEST_VERSION <= int(found) <= SCHEMA_VERSION:
        raise StoreError(
            f"the store {database.path} has version {found}, and this sparkctl knows version {SCHEMA_VERSION}",
            hint=f"use the sparkctl that wrote it or a newer one, or {CHOOSE_ANOTHER}",
        )
    return int(found) < SCHEMA_VERSION


def _version(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar()


def _trouble(path: Path, error: BaseException | None) -> StoreError:
    # Extended result codes keep the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _NO_SPACE and (full := _full_folder(path)) is not None:
        hint = "free some space there, which reading needs, too; what was stored before is safe"
        return StoreError(f"the store {path} cannot be used: the disk is full that {full} is on", hint=hint)
    problem, hint = _TROUBLE.get(code, (f"could not be used ({error})", _RESTORE))
    return StoreError(f"the store {path} {problem}", hint=hint)


def _full_folder(path: Path) -> Path | None:
    """The folder that has no space left: that of the database, or the one in which SQLite sorts."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), *_TEMPORARY_FOLDERS)
    usable = (Path(folder) for folder in named if folder and os.access(folder, os.W_OK | os.X_OK))
    for folder in (path.parent, *islice(usable, 1)):
        with suppress(OSError):
            free = os.statvfs(folder)
            if free.f_bavail * free.f_frsize < _LEAST_FREE_BYTES:
                return folder
    return None


def chunks(values: Collection[ValueT]) -> Iterator[list[ValueT]]:
    """Values in lists that one statement may hold."""
    left = iter(values)
    while chunk := list(islice(left, _MOST_VALUES)):
        yield chunk
