"""The simulated fleet, for one command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.lab import control
from sparkctl.lab.control import CHARACTERS, FAULTS
from sparkctl.lab.state import Lab

__all__ = ["CHARACTERS", "FAULTS", "Lab", "LabPlace"]


@dataclass(frozen=True, slots=True)
class LabPlace:
    """Where a lab lives: `--dir`, else a folder `lab` in the state folder."""

    places: Places
    option: Path | None

    @property
    def folder(self) -> Path:
        """The folder of the lab."""
        return self.option or self.places.state / "lab"

    def start(self, nodes: int, characters: Sequence[str], seed: int, seconds: float | None) -> Lab:
        """Start a lab there; raises UsageError and BusyError."""
        return control.up(self.folder, nodes, characters or None, seed, seconds=seconds)

    def running(self) -> Lab:
        """The lab that runs there; raises UsageError when none does."""
        found = control.load(self.folder)
        if found is None:
            raise UsageError(f"no lab runs in {self.folder}", hint="start one with: sparkctl lab up")
        return found

    def stop(self) -> bool:
        """Stop it and remove its files; whether one was running."""
        return control.down(self.folder)

    def hurt(self, node: str, fault: str) -> None:
        """Put a fault into a node while the lab runs; raises UsageError."""
        control.break_node(self.folder, node, fault)

    def heal(self, node: str) -> None:
        """Make a node healthy again; raises UsageError."""
        control.mend(self.folder, node)
