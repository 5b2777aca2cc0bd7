"""A store of an older version is brought to ours where it is opened, and by nobody while a run goes on in it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.app.alert_desk import Desk, mute_nodes
from sparkctl.app.places import Places
from sparkctl.errors import BusyError
from sparkctl.store import Store, SweepLock
from sparkctl.store.identifiers import IDENTITY
from sparkctl.store.schema import SCHEMA_VERSION
from tests.support.facts import facet, identity, remember

AS_VERSION_7 = (
    "DROP TABLE node_fences; DROP TABLE approvals; DROP TABLE journal; DROP TABLE playbook_runs;"
    "DROP TABLE ledger; DROP TABLE checkpoints;"
)
AS_VERSION_6 = (
    f"{AS_VERSION_7}"
    "DROP TABLE alerts; DROP TABLE alert_changes; DROP TABLE alert_mutes; DROP TABLE alert_runs;"
    "DROP TABLE outbox; DROP TABLE events; DROP TABLE sinks;"
    "DROP INDEX spans_by_end;"
)
TWINS = {("identity.machine_id", "1"): {"n1", "n2"}}


def collect(folder: Path, day: int, machine_ids: dict[str, str]) -> None:
    nodes = {node: {IDENTITY: facet(identity(machine_id=number))} for node, number in machine_ids.items()}
    remember(folder, day, nodes)


@pytest.fixture
def old(folder: Path) -> Path:
    """The folder of a store as version 5 left it, with a machine-id that two nodes have now and one had before."""
    collect(folder, 1, {"n1": "1", "n2": "2", "n3": "1", "n4": "2"})
    collect(folder, 2, {"n2": "1", "n3": "3"})
    raw = sqlite3.connect(folder / "state.db")
    raw.executescript(
        f"DROP TABLE identifiers; DROP TABLE contacts; {AS_VERSION_6}"
        "UPDATE meta SET value = '5' WHERE key = 'schema_version'"
    )
    raw.close()
    return folder


def version(folder: Path) -> str:
    raw = sqlite3.connect(folder / "state.db")
    (found,) = raw.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    raw.close()
    return str(found)


def test_whoever_reads_an_old_store_finds_in_it_what_is_new(old: Path) -> None:
    for _ in range(2):
        with Store.open(old, create=False) as store:
            assert store.shared_identifiers() == TWINS
            assert len(store.spans("n2", IDENTITY)) == 2
    assert version(old) == str(SCHEMA_VERSION)


def test_a_run_goes_on_with_an_old_store(old: Path) -> None:
    collect(old, 3, {"n1": "4", "n4": "1"})
    with Store.open(old, create=False) as store:
        assert store.shared_identifiers() == {("identity.machine_id", "1"): {"n2", "n4"}}


def test_an_old_store_stays_as_it_is_while_a_run_of_an_older_sparkctl_may_write_it(old: Path) -> None:
    with SweepLock(old, ["sparkctl", "collect"]), pytest.raises(BusyError, match="`sparkctl collect`"):
        Store.open(old, create=False)
    assert version(old) == "5"
    with Store.open(old, create=False) as store:
        assert store.shared_identifiers() == TWINS


def shape(folder: Path) -> set[tuple[str, str]]:
    """Every table and index of a store, and how it was made."""
    raw = sqlite3.connect(folder / "state.db")
    found = set(raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    raw.close()
    return found


def test_what_was_long_ago_is_no_news_to_a_store_that_learns_of_alerts(folder: Path) -> None:
    collect(folder, 1, {"n1": "1"})
    as_new = shape(folder)
    raw = sqlite3.connect(folder / "state.db")
    raw.executescript(f"{AS_VERSION_6} UPDATE meta SET value = '6' WHERE key = 'schema_version'")
    raw.close()
    with Store.open(folder, create=False) as store:
        assert store.alerts.waiting(10) == ([], 0)
    assert version(folder) == str(SCHEMA_VERSION)
    assert shape(folder) == as_new
    collect(folder, 2, {"n1": "2"})
    with Store.open(folder, create=False) as store:
        assert store.alerts.waiting(10) == (["day2"], 0)


def test_a_store_of_version_6_gains_an_outbox(folder: Path) -> None:
    collect(folder, 1, {"n1": "1", "n2": "1"})
    raw = sqlite3.connect(folder / "state.db")
    raw.executescript(f"{AS_VERSION_6} UPDATE meta SET value = '6' WHERE key = 'schema_version'")
    raw.close()
    with Store.open(folder, create=False) as store:
        assert store.shared_identifiers() == TWINS
        assert store.outbox.names() == []
    assert version(folder) == str(SCHEMA_VERSION)


def test_a_store_of_version_7_gains_a_journal_and_a_ledger(folder: Path) -> None:
    collect(folder, 1, {"n1": "1"})
    as_new = shape(folder)
    raw = sqlite3.connect(folder / "state.db")
    raw.executescript(f"{AS_VERSION_7} UPDATE meta SET value = '7' WHERE key = 'schema_version'")
    raw.close()
    with Store.open(folder, create=False) as store:
        assert list(store.ledger.entries()) == []
    assert version(folder) == str(SCHEMA_VERSION)
    assert shape(folder) == as_new


def test_a_mute_upgrades_no_store_in_which_a_run_goes_on(old: Path, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes: {n1: {}}\n")
    desk = Desk(Places(tmp_path / "fleet.yaml", old, {}), None)
    with SweepLock(old, ["a run of another version"]), pytest.raises(BusyError):
        mute_nodes(desk, "n1", timedelta(hours=1), reason="r", by="me", now=datetime.now(UTC))
    assert version(old) == "5"
    assert mute_nodes(desk, "n1", timedelta(hours=1), reason="r", by="me", now=datetime.now(UTC)).number == 1
    assert version(old) == str(SCHEMA_VERSION)
