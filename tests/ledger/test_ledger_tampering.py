"""Whatever is done to the rows of a ledger is found, and the entry is named."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.app.ledger_checkpoint import make_checkpoint
from sparkctl.app.ledger_file import write_document
from sparkctl.app.ledger_sign import sign_entries
from sparkctl.errors import RefusedError
from tests.ledger.book import START, allowed, body, filled, first_wrong, key_pair, opened, put, rewrite, verified

ENTRIES = 9


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that nobody has touched."""
    state = filled(tmp_path_factory.mktemp("whole") / "state", ENTRIES)
    assert verified(state).holds
    return state


@pytest.fixture
def state(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to do things to."""
    return Path(shutil.copytree(whole, tmp_path / "state"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(1, ENTRIES), at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_of_any_body(state: Path, place: int, at: float, bit: int) -> None:
    with opened(state) as connection:
        stood = connection.execute("SELECT CAST(body AS BLOB) FROM ledger WHERE seq = ?", (place,)).fetchone()[0]
        changed = bytearray(stood)
        changed[int(at * len(changed))] ^= 1 << bit
        connection.execute("UPDATE ledger SET body = CAST(? AS TEXT) WHERE seq = ?", (bytes(changed), place))
    try:
        assert first_wrong(verified(state)) == ("edited", place)
    finally:
        with opened(state) as connection:
            connection.execute("UPDATE ledger SET body = CAST(? AS TEXT) WHERE seq = ?", (stood, place))
    assert verified(state).holds


@pytest.mark.parametrize("column", ["sha256", "kind", "node_id"])
@pytest.mark.parametrize("place", [1, 5, ENTRIES])
def test_any_other_column(state: Path, column: str, place: int) -> None:
    with opened(state) as connection:
        connection.execute(f"UPDATE ledger SET {column} = 'another' WHERE seq = ?", (place,))
    assert first_wrong(verified(state)) == ("edited", place)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b"\0" * 10, b'{"seq":5}'])
def test_what_is_no_entry_is_a_finding(state: Path, content: bytes) -> None:
    with opened(state) as connection:
        connection.execute("UPDATE ledger SET body = CAST(? AS TEXT) WHERE seq = 5", (content,))
    report = verified(state)
    assert first_wrong(report) == ("edited", 5)
    assert "no entry" in report.findings[0].words


@pytest.mark.parametrize("place", range(1, ENTRIES))
@pytest.mark.parametrize("renumbered", [False, True])
def test_a_row_that_is_gone(state: Path, place: int, *, renumbered: bool) -> None:
    with opened(state) as connection:
        connection.execute("DELETE FROM ledger WHERE seq = ?", (place,))
        if renumbered:
            for seq in range(place + 1, ENTRIES + 1):
                connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq - 1, seq))
    assert first_wrong(verified(state)) == ("removed", place)


def test_several_rows_that_are_gone_are_named(state: Path) -> None:
    with opened(state) as connection:
        connection.execute("DELETE FROM ledger WHERE seq BETWEEN 3 AND 6")
    assert verified(state).findings[0].words == "entries 3 to 6 are missing"


@pytest.mark.parametrize("one", range(1, ENTRIES))
def test_two_rows_that_changed_places(state: Path, one: int) -> None:
    for other in range(one + 1, ENTRIES + 1):
        with opened(state) as connection:
            swap(connection, one, other)
        assert first_wrong(verified(state)) == ("reordered", one)
        with opened(state) as connection:
            swap(connection, one, other)
    assert verified(state).holds


def swap(connection: sqlite3.Connection, one: int, other: int) -> None:
    for old, new in ((one, 1000), (other, one), (1000, other)):
        connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (new, old))


@pytest.mark.parametrize("place", range(1, ENTRIES))
def test_an_entry_that_was_put_between(state: Path, place: int) -> None:
    """It fits what stands before it in every way; what follows fits the entry whose place it took."""
    with opened(state) as connection:
        forged = body(connection, place)
        for seq in range(ENTRIES, place - 1, -1):
            connection.execute("UPDATE ledger SET seq = ? WHERE seq = ?", (seq + 1, seq))
        forged["summary"] = "nothing happened"
        connection.execute("INSERT INTO ledger VALUES (?, 'x', 'x', 'x', 'x', NULL)", (place,))
        put(connection, place, forged)
    assert first_wrong(verified(state)) == ("inserted", place)


@pytest.mark.parametrize("place", [-3, 0, "'a'", "1.5"])
def test_a_row_where_none_can_be(state: Path, place: object) -> None:
    with opened(state) as connection:
        connection.execute(f"INSERT INTO ledger SELECT {place}, 'x', kind, node_id, body, NULL FROM ledger LIMIT 1")
    assert first_wrong(verified(state))[0] == "inserted"


def test_an_entry_twice_is_named_where_it_stands_again(state: Path) -> None:
    with opened(state) as connection:
        connection.execute(
            f"INSERT INTO ledger SELECT {ENTRIES + 1}, 'x', kind, node_id, body, NULL FROM ledger WHERE seq = 4"
        )
        put(connection, ENTRIES + 1, body(connection, 4) | {"summary": "moved"})
    assert first_wrong(verified(state)) == ("inserted", ENTRIES + 1)


@pytest.mark.parametrize("place", range(1, ENTRIES))
def test_an_edit_with_a_digest_that_fits(state: Path, place: int) -> None:
    with opened(state) as connection:
        put(connection, place, body(connection, place) | {"summary": "stayed where it was"})
    assert first_wrong(verified(state)) == ("edited", place)


def test_a_time_that_was_set_back(state: Path) -> None:
    with opened(state) as connection:
        rewrite(connection, 6, lambda content: content.update(at="2020-01-01T00:00:00Z"))
    assert first_wrong(verified(state)) == ("time", 6)


def summary(content: dict[str, Any]) -> None:
    content["summary"] = "stayed where it was"


@pytest.mark.parametrize("place", [1, 4, 7])
def test_all_made_anew_is_told_by_a_signature(state: Path, tmp_path: Path, place: int) -> None:
    sign_entries(state, key_pair(tmp_path))
    with opened(state) as connection:
        rewrite(connection, place, summary)
    assert first_wrong(verified(state)) == ("signature", place)


@pytest.mark.parametrize(("place", "named"), [(1, 1), (4, 1), (5, 5), (7, 5)])
def test_all_made_anew_is_told_by_a_checkpoint(state: Path, place: int, named: int) -> None:
    with opened(state) as connection:
        saved = connection.execute("SELECT * FROM ledger WHERE seq > 4").fetchall()
        connection.execute("DELETE FROM ledger WHERE seq > 4")
    make_checkpoint(state, None, "here", START)
    with opened(state) as connection:
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)", saved)
    make_checkpoint(state, None, "here", START)
    with opened(state) as connection:
        rewrite(connection, place, summary)
    assert first_wrong(verified(state)) == ("rewritten", named)


def test_what_is_gone_from_the_end_is_told_by_a_checkpoint_or_said_to_be_untold(state: Path, tmp_path: Path) -> None:
    key = key_pair(tmp_path)
    signers = allowed(tmp_path, alice=key)
    assert any("if entries were taken from its end" in words for words in verified(state).notes)
    note = make_checkpoint(state, key, "here", START)
    write_document(note, tmp_path / "note.json")
    report = verified(state, signers)
    assert (report.holds, report.vouched) == (True, ENTRIES)
    with opened(state) as connection:
        connection.execute("DELETE FROM ledger WHERE seq > 7")
    assert first_wrong(verified(state)) == ("truncated", 8)
    with opened(state) as connection:
        connection.execute("DELETE FROM checkpoints")
    assert verified(state).holds  # nothing here can tell, which is said
    assert any("if entries were taken from its end" in words for words in verified(state).notes)
    assert first_wrong(verified(state, None, tmp_path / "note.json")) == ("truncated", 8)
    with opened(state) as connection:
        connection.execute("DELETE FROM ledger")
    assert first_wrong(verified(state, None, tmp_path / "note.json")) == ("truncated", 1)


@pytest.mark.parametrize("column", ["body", "signatures"])
def test_a_checkpoint_that_was_changed(state: Path, tmp_path: Path, column: str) -> None:
    make_checkpoint(state, key_pair(tmp_path), "here", START)
    with opened(state) as connection:
        stood = connection.execute(f"SELECT {column} FROM checkpoints").fetchone()[0]
        for at in range(0, len(stood), 7):
            other = "A" if stood[at] != "A" else "B"
            connection.execute(f"UPDATE checkpoints SET {column} = ?", (stood[:at] + other + stood[at + 1 :],))
            connection.commit()
            report = verified(state)
            assert not report.holds, at
            assert {one.what.value for one in report.findings} <= {"checkpoint", "rewritten", "truncated"}


def test_a_ledger_that_was_given_another_name(state: Path, tmp_path: Path) -> None:
    note = make_checkpoint(state, key_pair(tmp_path), "here", START)
    write_document(note, tmp_path / "note.json")
    with opened(state) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'ledger_origin'", ("there\x1b[2J" + "x" * 5000,))
    assert first_wrong(verified(state)) == ("checkpoint", ENTRIES)
    with pytest.raises(RefusedError, match="is called there") as refused:
        verified(state, None, tmp_path / "note.json")
    assert "\x1b" not in refused.value.message


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), new=st.characters(min_codepoint=33, max_codepoint=126))
def test_a_signature_that_was_changed(signed: Path, at: float, new: str) -> None:
    with opened(signed) as connection:
        stood = connection.execute("SELECT signature FROM ledger WHERE seq = 3").fetchone()[0]
        place = int(at * len(stood))
        changed = stood[:place] + new + stood[place + 1 :]
        connection.execute("UPDATE ledger SET signature = ? WHERE seq = 3", (changed,))
    try:
        report = verified(signed)
        assert changed == stood or first_wrong(report) == ("signature", 3)
    finally:
        with opened(signed) as connection:
            connection.execute("UPDATE ledger SET signature = ? WHERE seq = 3", (stood,))


@pytest.fixture
def signed(state: Path, tmp_path: Path) -> Path:
    """A copy in which every entry is signed."""
    sign_entries(state, key_pair(tmp_path))
    return state
