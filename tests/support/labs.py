"""A lab for a test: up before it, down after it, whatever happens in between."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sparkctl.lab import control
from sparkctl.lab.state import Lab, Pace

LAB_SECONDS = 1800.0  # it goes down by itself if the test run is killed


@contextmanager
def running_lab(
    folder: Path,
    nodes: int,
    characters: Sequence[str] | None = None,
    *,
    seconds: float = LAB_SECONDS,
    pace: Pace | None = None,
) -> Iterator[Lab]:
    """A lab of `nodes` simulated nodes in `folder`, for so many seconds at most."""
    lab = control.up(folder, nodes, characters, seed=1, seconds=seconds, pace=pace)
    try:
        yield lab
    finally:
        control.down(folder)


@contextmanager
def broken(lab: Lab, node: str, character: str) -> Iterator[None]:
    """A node of a lab that is broken in this way for a while."""
    control.break_node(lab.directory, node, character)
    try:
        yield
    finally:
        control.mend(lab.directory, node)
