"""Labs for tests: started in a temporary folder, stopped afterwards, and checked to leave no process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkctl.lab import control
from sparkctl.lab.state import Lab, Pace
from tests.lab.leftovers import processes_of

StartLab = Callable[..., Lab]


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[StartLab]:
    """Start a lab with these characters, one node each."""
    started: list[Path] = []

    def start(*characters: str, folder: str = "lab", pace: Pace | None = None, **limits: float) -> Lab:
        started.append(tmp_path / folder)
        return control.up(started[-1], len(characters), characters, seed=7, pace=pace, **{"seconds": 120.0, **limits})

    yield start
    for directory in started:
        control.down(directory)
        assert processes_of(directory) == []
        assert not directory.exists()
