"""A store to write to, and processes beside ours."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkctl.store import Store, SweepLock
from tests.store.children import ENVIRONMENT, PROGRAM, Child, StartChild
from tests.store.samples import begin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def lock(folder: Path) -> Iterator[SweepLock]:
    with SweepLock(folder, ["sparkctl", "health"]) as held:
        yield held


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as opened:
        yield opened


@pytest.fixture
def running(store: Store, lock: SweepLock) -> Store:
    """A store in which `r1` is running."""
    begin(store, lock, "r1")
    return store


@pytest.fixture
def start_child() -> Iterator[StartChild]:
    """Starts `sweeping_child.py` with the given arguments; all are killed in the end."""
    children: list[Child] = []

    def start(*arguments: str | Path) -> Child:
        command = [sys.executable, PROGRAM, *map(str, arguments)]
        children.append(
            subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()
