"""A store that another program has locked is waited for, but not beyond the time that is left."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sparkctl.errors import StoreError
from sparkctl.store.database import Database, open_database
from tests.support.store_lock import locked


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    store = open_database(tmp_path, create=True)
    yield store
    store.close()


def write(store: Database) -> None:
    with store.writing() as connection:
        connection.execute(text("INSERT INTO meta (key, value) VALUES ('a', 'b')"))


@pytest.mark.parametrize("left_s", [0.3, -5.0])
def test_a_lock_is_not_waited_for_beyond_the_time_that_is_left(opened: Database, left_s: float) -> None:
    opened.give_up_at = time.monotonic() + left_s
    with locked(opened.path, seconds=6), pytest.raises(StoreError, match="is locked by another program"):
        write(opened)
    write(opened)


def test_time_that_is_left_is_used(opened: Database) -> None:
    opened.give_up_at = time.monotonic() + 30
    with locked(opened.path, seconds=0.5):
        write(opened)
