"""More than one process, and processes that die."""

import json
import os
import signal
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparkctl.errors import BusyError
from sparkctl.store import RunState, Store, SweepLock
from tests.store.children import Child, StartChild
from tests.store.samples import begin, reported


def read_lines(child: Child, count: int) -> list[str]:
    assert child.stdout
    return [child.stdout.readline().strip() for _ in range(count)]


def kill(child: Child) -> list[str]:
    """Kill a child; returns the lines it had still written."""
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    return [line for line in rest.split("\n") if line]


def assert_sound(folder: Path) -> None:
    raw = sqlite3.connect(folder / "state.db")
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def test_a_kill_loses_at_most_the_node_in_flight(folder: Path, start_child: StartChild) -> None:
    child = start_child(folder, "sweep", "r1")
    acknowledged = read_lines(child, 20)
    acknowledged += kill(child)
    with Store.open(folder) as store:
        kept = list(store.records("r1"))
        # The last record may be on disk although its process died before it could say so.
        assert [record.node_id for record in kept][: len(acknowledged)] == acknowledged
        assert len(kept) <= len(acknowledged) + 1
        assert kept == [reported("r1", record.node_id) for record in kept]
        assert store.newest(acknowledged[-1]) == reported("r1", acknowledged[-1])
        (run,) = store.runs(5)
        assert (run.state, run.finished_at, run.report) == (RunState.INTERRUPTED, None, None)
        assert (run.pid, run.host, run.recorded) == (child.pid, socket.gethostname(), len(kept))
    assert_sound(folder)


def test_a_run_that_is_alive_elsewhere_stays_running_and_can_be_read(folder: Path, start_child: StartChild) -> None:
    child = start_child(folder, "sweep", "r1")
    done = read_lines(child, 3)
    with Store.open(folder) as store:
        assert store.runs(1)[0].state is RunState.RUNNING
        assert [record.node_id for record in store.records("r1")][:3] == done
        before = store.runs(1)[0].recorded
        # Twice, since a line may have been waiting in the pipe from before.
        read_lines(child, before + 2)
        assert store.runs(1)[0].recorded > before
        assert store.history(done[0], 5)[0].run_id == "r1"
        kill(child)
        assert store.runs(1)[0].state is RunState.RUNNING
    with Store.open(folder) as store:
        assert store.runs(1)[0].state is RunState.INTERRUPTED


def test_the_second_sweep_is_told_who_holds_the_lock(folder: Path, start_child: StartChild) -> None:
    child = start_child(folder, "sweep", "r1")
    read_lines(child, 1)
    with pytest.raises(BusyError) as caught:
        SweepLock(folder, ["sparkctl", "health"]).acquire()
    message = caught.value.message
    assert message.startswith(f"another run uses {folder}: ")
    assert "`sparkctl health rack=a1`" in message
    assert f"process {child.pid} of" in message
    assert f"on {socket.gethostname()}, since 20" in message
    assert f"kill -INT {child.pid}" in (caught.value.hint or "")
    kill(child)
    with SweepLock(folder, ["sparkctl", "health"]) as lock, Store.open(folder) as store:
        begin(store, lock, "r2")
        assert [run.state for run in store.runs(5)] == [RunState.RUNNING, RunState.INTERRUPTED]


def test_processes_that_contend_take_turns(folder: Path, start_child: StartChild) -> None:
    runs = [[f"{name}{number}" for number in range(3)] for name in "ab"]
    children = [start_child(folder, "contend", *names) for names in runs]
    for child, names in zip(children, runs, strict=True):
        assert read_lines(child, 3) == names
        assert child.wait() == 0
    with Store.open(folder) as store:
        assert {(run.run_id, run.state, run.recorded) for run in store.runs(10)} == {
            (name, RunState.FINISHED, 5) for names in runs for name in names
        }
    assert_sound(folder)


def test_first_runs_at_the_same_time_make_one_store(folder: Path, start_child: StartChild) -> None:
    children = [start_child(folder, "open") for _ in range(4)]
    for child in children:
        read_lines(child, 1)
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [read_lines(child, 1) for child in children] == [["opened"]] * 4
    assert_sound(folder)


def test_first_runs_at_the_same_moment_make_one_store(tmp_path: Path) -> None:
    # Threads meet more closely than processes do; without taking turns about one folder in five fails.
    gate = threading.Barrier(8)

    def open_first(folder: Path) -> None:
        gate.wait()
        Store.open(folder).close()

    with ThreadPoolExecutor(8) as threads:
        for number in range(25):
            for opened in [threads.submit(open_first, tmp_path / str(number)) for _ in range(8)]:
                opened.result()


@pytest.mark.parametrize("stale", [b"", b"\x00\xff\x1b[31m", b'{"pid": 1}', b"x" * 100_000])
def test_stale_content_does_not_hold_the_lock(folder: Path, stale: bytes) -> None:
    folder.mkdir()
    (folder / "sweep.lock").write_bytes(stale)
    with SweepLock(folder, ["sparkctl", "health", "a b\x1b[2J"]) as lock:
        assert lock.held
        holder = json.loads((folder / "sweep.lock").read_bytes())
        assert (holder["pid"], holder["command"]) == (os.getpid(), r"sparkctl health 'a b\u001b[2J'")
    assert not lock.held


def test_a_holder_that_is_not_named_is_not_made_up(folder: Path) -> None:
    with SweepLock(folder, ["x"]):
        (folder / "sweep.lock").write_bytes(b"\x1b[31m" * 2000)
        with pytest.raises(BusyError, match="does not say which") as caught:
            SweepLock(folder, ["y"]).acquire()
    assert "\x1b" not in caught.value.message
    assert "fuser" in (caught.value.hint or "")


def test_a_lock_can_be_taken_again_after_it_was_released(folder: Path) -> None:
    lock = SweepLock(folder, ["x"])
    for _ in range(2):
        with lock, pytest.raises(ValueError, match="already held"):
            lock.acquire()
    assert (folder / "sweep.lock").read_bytes() == b""
