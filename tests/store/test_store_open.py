"""Folders and files that cannot be a store, and what the operator is told."""

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sparkctl.errors import StoreError
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.store import Store, SweepLock, state_dir
from sparkctl.store.location import folder_trouble
from tests.store.children import ENVIRONMENT, PROGRAM
from tests.store.samples import begin, reported


def change(folder: Path, *statements: str) -> None:
    raw = sqlite3.connect(folder / "state.db")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_folder_is_the_option_then_the_variable_then_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    environment = {"SPARKCTL_STATE": "~/mine"}
    assert state_dir(Path("here"), environment) == tmp_path / "here"
    assert state_dir(None, environment) == tmp_path / "home/mine"
    assert state_dir(None, {"SPARKCTL_STATE": ""}).name == "sparkctl"


def test_folder_and_file_are_for_their_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        with SweepLock(folder, ["x"]) as lock, Store.open(folder) as store:
            begin(store, lock, "r1")
            assert mode(folder) == 0o700
            assert {mode(path) for path in folder.iterdir()} == {0o600}
            assert {path.name for path in folder.iterdir()} >= {"state.db", "state.db-wal", "sweep.lock"}
    finally:
        os.umask(before)


def test_a_reader_makes_nothing(folder: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in") as caught:
        Store.open(folder, create=False)
    assert str(folder) in caught.value.message
    assert caught.value.hint
    assert not folder.exists()


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_that_is_a_file(tmp_path: Path, inside: bool) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "file" / "state" if inside else tmp_path / "file"
    with pytest.raises(StoreError, match="is not a folder") as caught:
        Store.open(folder)
    assert str(folder) in caught.value.message
    assert "--state" in (caught.value.hint or "")
    with pytest.raises(StoreError, match="is not a folder"):
        SweepLock(folder, ["x"]).acquire()


@pytest.mark.parametrize("content", [b"\x7fELF" + b"\x00" * 5000, b"not a database, but long enough to be one" * 200])
def test_a_file_that_is_no_database_is_left_alone(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "state.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.db is not a database"):
        Store.open(folder)
    assert (folder / "state.db").read_bytes() == content


def test_a_database_of_somebody_else(folder: Path) -> None:
    folder.mkdir()
    change(folder, "CREATE TABLE meta (key, value)", "INSERT INTO meta VALUES ('owner', 'them')")
    with pytest.raises(StoreError, match="not a store of sparkctl"):
        Store.open(folder)


@pytest.mark.parametrize("version", [4, 9])
def test_a_store_of_a_version_that_is_not_known_is_not_touched(folder: Path, version: int) -> None:
    Store.open(folder).close()
    change(folder, f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")
    before = (folder / "state.db").read_bytes()
    with pytest.raises(StoreError, match=f"has version {version}, and this sparkctl knows version 8") as caught:
        Store.open(folder)
    assert "newer" in (caught.value.hint or "")
    assert (folder / "state.db").read_bytes() == before


def test_a_damaged_database(folder: Path) -> None:
    Store.open(folder).close()
    content = bytearray((folder / "state.db").read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (folder / "state.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"is damaged") as caught, Store.open(folder) as store:
        store.runs(1)
    assert "backup" in (caught.value.hint or "")


@pytest.mark.parametrize("size", [0, 4096])
def test_a_file_whose_maker_was_killed_before_the_tables_is_taken_over(folder: Path, size: int) -> None:
    folder.mkdir()
    (folder / "state.db").touch()
    if size:
        change(folder, "PRAGMA journal_mode = WAL")
    assert (folder / "state.db").stat().st_size == size
    with Store.open(folder) as store:
        assert store.runs(1) == []


@pytest.fixture
def tiny_disk() -> Iterator[None]:
    """Lets SQLite find its disk full after 80 pages, as it would with ENOSPC."""

    def limit(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


def fill(store: Store, stored: list[RunRecord]) -> None:
    for number in range(1000):
        record = reported("r1", f"spark{number}")
        store.add([NodeOutcome.of(record)])
        stored.append(record)


@pytest.mark.usefixtures("tiny_disk")
def test_a_full_disk_loses_nothing_that_was_stored(running: Store) -> None:
    stored: list[RunRecord] = []
    with pytest.raises(StoreError, match=r"state\.db cannot grow: the disk is full") as caught:
        fill(running, stored)
    assert stored
    assert "free some space" in (caught.value.hint or "")
    assert list(running.records("r1")) == stored
    assert running.newest(f"spark{len(stored)}") is None


def run_as_nobody(folder: Path, *, sweep: bool) -> str:
    """Use a store as a user without rights; returns the message of its StoreError, or `done`."""
    command = [sys.executable, PROGRAM, str(folder), "nobody", "sweep" if sweep else "read"]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody can read and nobody but root can write."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_without_the_right_to_write(public_folder: Path) -> None:
    for folder in (public_folder, public_folder / "state"):
        told = run_as_nobody(folder, sweep=False)
        assert told == f"the state folder {folder} is not writable for this user"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a file that another user may not write")
def test_a_file_of_another_user_in_a_folder_of_ours(public_folder: Path) -> None:
    Store.open(public_folder).close()
    public_folder.chmod(0o777)
    (public_folder / "state.db").chmod(0o444)
    assert run_as_nobody(public_folder, sweep=False) == "done"
    assert run_as_nobody(public_folder, sweep=True) == f"the store {public_folder}/state.db is not writable"
    (public_folder / "state.db").chmod(0)
    assert run_as_nobody(public_folder, sweep=False) == f"the store {public_folder}/state.db cannot be opened"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "is on a read-only file system"),
        (errno.ENOSPC, "has no space left"),
        (errno.EDQUOT, "is over the disk quota"),
        (errno.ENOLCK, "without locks"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_every_refusal_of_the_system_has_words_and_a_next_step(number: int, words: str) -> None:
    trouble = folder_trouble(Path("/srv/state"), OSError(number, os.strerror(number)))
    assert trouble.message.startswith("the state folder /srv/state ")
    assert words in trouble.message
    assert "--state" in (trouble.hint or "")
