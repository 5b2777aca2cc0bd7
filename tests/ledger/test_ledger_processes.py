"""More than one process that enters, and processes that die while they do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.store.store import Store
from tests.ledger.book import verified

_PROJECT = Path(__file__).parents[2]


def start(folder: Path, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.ledger_child", folder, str(count)],
        cwd=_PROJECT, env=os.environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_make_one_chain(tmp_path: Path) -> None:
    Store.open(tmp_path / "state").close()
    both = [start(tmp_path / "state", 500) for _ in range(2)]
    said = [child.communicate(timeout=300)[0].splitlines() for child in both]
    assert [child.returncode for child in both] == [0, 0]
    report = verified(tmp_path / "state")
    assert (report.holds, report.entries) == (True, 1000)
    with Store.open(tmp_path / "state") as store:
        stored = {f"{entry.seq} {entry.sha256}" for entry in store.ledger.entries()}
    assert stored == {line for lines in said for line in lines}


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 17, pytest.param(60, marks=pytest.mark.thorough)])
def test_a_kill_loses_nothing_that_was_entered_and_leaves_the_chain_whole(tmp_path: Path, after: int) -> None:
    child = start(tmp_path / "state", 100_000)
    assert child.stdout
    said = [child.stdout.readline() for _ in range(after)]
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    said += rest.splitlines(keepends=True)
    told = [line.strip() for line in said if line.endswith("\n")]
    report = verified(tmp_path / "state")
    assert report.holds
    with Store.open(tmp_path / "state") as store:
        stored = [f"{entry.seq} {entry.sha256}" for entry in store.ledger.entries()]
        assert stored[: len(told)] == told
        assert len(stored) <= len(told) + 1
    again = start(tmp_path / "state", 3)
    assert again.communicate(timeout=60)[0].splitlines()[0].startswith(f"{len(stored) + 1} ")
    assert verified(tmp_path / "state").holds
