"""Files of schedules for tests."""

from pathlib import Path

from sparkctl.app.schedule_file import read_plan
from sparkctl.model.schedule import SchedulePlan

# Nothing is asked of this node, and nobody tries twice: the key for it is not there.
GONE = "nodes:\n  gone: {ssh: {host: 127.0.0.1, port: 1, identity_files: [nowhere]}}\n"
SWEEP = "  sweep: {every: 15m, run: health}\n"


def write_plan(folder: Path, schedules: str = SWEEP, top: str = "") -> Path:
    """A file of schedules with a state folder beside it."""
    path = folder / "schedules.yaml"
    path.write_text(f"version: 1\nstate: state\n{top}schedules:\n{schedules}")
    return path


def plan_of(folder: Path, schedules: str = SWEEP, top: str = "") -> SchedulePlan:
    """What such a file says."""
    return read_plan(write_plan(folder, schedules, top))
