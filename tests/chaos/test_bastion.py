"""What befalls the bastion in mid-sweep: its disk fills, its store is locked, its clock is stepped."""

import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.store.store import Store
from tests.chaos.site import Door, Site, Sweep
from tests.support.command import json_lines, sparkctl
from tests.support.sshd import Sshd
from tests.support.store_lock import locked

pytestmark = pytest.mark.slow
NEAR, HELD, STUCK = ("near-1", "near-2"), ("held-1", "held-2"), "stuck"
EVERYBODY = [*NEAR, *HELD, STUCK]


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, "held")


@pytest.fixture
def stuck(tmp_path: Path) -> Door:
    return Door(tmp_path, STUCK)


@pytest.fixture
def site(tmp_path: Path, door: Door, stuck: Door) -> Iterator[Site]:
    """Two nodes that answer at once, two of one rack of which the first waits at the door, one that never answers."""
    site = Site(tmp_path)
    doors = [*door.at("127.0.0.3"), *stuck.at("127.0.0.5")]
    addresses = [f"127.0.0.{number}" for number in range(1, 6)]
    with Sshd(tmp_path, addresses=addresses, extra=[site.path, *doors]) as server:
        site.add(server, EVERYBODY, racks=dict.fromkeys(HELD, "h"))
        yield site


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A state folder on a disk of its own."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(disk)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"a small disk needs root and CAP_SYS_ADMIN: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Write until the disk is full."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert os.statvfs(disk).f_bavail == 0
    return ballast


def stored(state: Path, run_id: str) -> list[str]:
    """The nodes of a run in the order they were stored."""
    with Store.open(state, create=False) as store:
        return [record.node_id for record in store.records(run_id)]


def outcome_of(site: Site, state: Path, node: str) -> str:
    """What `history` says of the last visit to a node."""
    ran = sparkctl("history", node, "--state", state, home=site.folder)
    assert ran.returncode == 0, ran.stderr
    outcome: str = json_lines(ran)[0]["visit"]["outcome"]
    return outcome


def test_a_disk_that_fills_ends_the_sweep_with_everybody_in_the_report(site: Site, door: Door, stuck: Door) -> None:
    with small_disk(site.folder, "2m") as disk, Sweep(site.folder, "--timeout", "120", state=disk / "state") as sweep:
        shown = sweep.until_shown(3)
        assert set(shown) == {*NEAR, "held-2"}
        door.wait("reached", sweep)
        ballast = fill(disk)
        door.open()
        result = sweep.end()
        readable_while_full = [outcome_of(site, sweep.state, name) for name in shown]
        ballast.unlink()
        assert stored(sweep.state, result.report["run_id"]) == shown
        stuck.open()
        resumed = sparkctl("health", "--resume", "last", "--state", sweep.state, home=site.folder)
    assert result.code == 2
    assert "the disk is full" in result.errors
    result.assert_all_accounted_for(EVERYBODY)
    result.assert_complete(*shown)
    assert result.status(STUCK) == "run.interrupted"
    assert readable_while_full == ["reported"] * 3
    *records, report = json_lines(resumed)
    assert {record["node_id"] for record in records} == {"held-1", STUCK}
    assert (report["selected"], report["reported"]) == (5, 5)


@pytest.mark.thorough
def test_a_store_locked_for_too_long_ends_the_sweep_with_everybody_in_the_report(site: Site, door: Door) -> None:
    with Sweep(site.folder, "--timeout", "120") as sweep:
        shown = sweep.until_shown(3)
        with locked(sweep.state / "state.db"):
            door.open()
            result = sweep.end()
        assert stored(sweep.state, result.report["run_id"]) == shown
        assert outcome_of(site, sweep.state, shown[0]) == "reported"
    assert result.code == 2
    assert "is locked by another program" in result.errors
    result.assert_all_accounted_for(EVERYBODY)
    result.assert_complete(*shown)
    assert result.status(STUCK) == "run.interrupted"


def test_a_locked_store_does_not_hold_a_sweep_beyond_its_deadline(site: Site, door: Door) -> None:
    with Sweep(site.folder, f"near-1,{STUCK}", "--timeout", "120", "--deadline", "7") as sweep:
        shown = sweep.until_shown(1)
        # A sweep that waited its usual ten seconds for the lock would get it, and end well.
        with locked(sweep.state / "state.db", seconds=12):
            result = sweep.end()
    assert result.code == 2
    assert "is locked by another program" in result.errors
    result.assert_all_accounted_for(["near-1", STUCK])
    result.assert_complete(*shown)
    assert result.status(STUCK) == "run.run_deadline"


def test_a_store_that_does_not_take_the_end_of_a_run_takes_nothing_off_the_output(site: Site, door: Door) -> None:
    state = site.folder / "state"
    Store.open(state, create=True).close()
    with contextlib.closing(sqlite3.connect(state / "state.db")) as other:
        other.execute("CREATE TRIGGER no_end BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no end'); END")
    with Sweep(site.folder, "near-[1-2]") as sweep:
        result = sweep.end()
    assert result.code == 2
    assert "could not be used" in result.errors
    result.assert_all_accounted_for(NEAR)
    result.assert_complete(*NEAR)


def test_a_store_locked_for_a_moment_is_waited_for(site: Site, door: Door) -> None:
    with Sweep(site.folder, "near-[1-2],held-[1-2]", "--timeout", "120") as sweep:
        sweep.until_shown(3)
        with locked(sweep.state / "state.db"):
            door.open()
            door.wait("done", sweep)
            time.sleep(1)  # by now its record waits for the lock
        result = sweep.end()
        assert stored(sweep.state, result.report["run_id"]) == result.order
    result.assert_all_accounted_for([*NEAR, *HELD])
    result.assert_exit()
    result.assert_complete(*NEAR, *HELD)


def faketime() -> str:
    """The library that gives one process a clock of its own."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("a clock of its own for one process needs the package faketime")
    return str(found[0])


@pytest.mark.parametrize("hours", [pytest.param(1, marks=pytest.mark.thorough), -1])
def test_a_clock_stepped_by_an_hour_moves_no_deadline_and_no_order(
    site: Site, door: Door, stuck: Door, hours: int
) -> None:
    clock = site.folder / "clock"
    clock.write_text("+0\n")
    env = {
        "LD_PRELOAD": faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    whom = f"held-[1-2],{STUCK}"
    with Sweep(site.folder, whom, "--timeout", "10", "--deadline", "60", "--per-rack", "1", env=env) as sweep:
        door.wait("reached", sweep)
        stuck.wait("reached", sweep)
        stepped = site.folder / "stepped"
        stepped.write_text(f"{hours:+d}h\n")
        stepped.rename(clock)
        door.open()
        result = sweep.end()
    result.assert_all_accounted_for([*HELD, STUCK])
    result.assert_exit()
    result.assert_complete(*HELD)
    assert result.status(STUCK) == "run.timeout"
    assert result.report["interrupted"] is False
    before, after = (datetime.fromisoformat(result.records[name]["ts"]) for name in HELD)
    assert timedelta(minutes=59) < (after - before) * hours < timedelta(minutes=61)
    assert 0 < result.report["duration_ms"] < 1_800_000
    assert 10_000 <= result.records[STUCK]["duration_ms"] < 1_800_000
    assert stored(sweep.state, result.report["run_id"]) == result.order
    again = json_lines(sparkctl("health", "held-2", "--state", sweep.state, home=site.folder))[-1]["run_id"]
    past = json_lines(sparkctl("history", "held-2", "--state", sweep.state, home=site.folder))
    visits = [line["visit"]["run_id"] for line in past if "visit" in line]
    assert visits[:2] == [again, result.report["run_id"]]
