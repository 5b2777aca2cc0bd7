"""A machine that may be changed: the one this program runs on, or a simulated one whose lab plays the commands.

A saved tree can be looked at and never changed. Where the stand-ins of a lab lie comes from the lab's own environment
and never from the tree, which is data: no tree can have anything run here.
"""

from __future__ import annotations

import os

from diag.nodekit.command import Ran
from diag.nodekit.launcher import FOLDER
from diag.nodekit.machine import MAX_FILE_BYTES, Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Origin, UnknownReason

STAND_INS = "SPARKCTL_LAB_ACTS"
"""In the environment of a simulated node: the folder with `bin`, its stand-ins, and `run`, its /run/sparkctl."""


class ActingMachine(Machine):
    """Reads as every machine; what an act needs goes to the machine itself, or to the stand-ins of a lab."""

    def look(self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES) -> Ran:
        """Run a command that changes nothing; raises MissingTool, PermissionError, TimeoutError."""
        played = self._played(argv)
        if played is None:
            return self.run(argv, seconds=seconds, limit=limit)
        return self.run_here(played, seconds=seconds, limit=limit)

    def act(self, argv: tuple[str, ...], *, seconds: float) -> Ran:
        """Run a command that changes the machine; raises as `look` does, and Unevaluated on a saved tree."""
        if self.root is not None and self._played(argv) is None:
            raise Unevaluated(UnknownReason.PRECONDITION, "a saved tree cannot be changed")
        return self.look(argv, seconds=seconds)

    def device(self, path: str) -> str:
        """Where what stands on a block device is read; raises Unevaluated on a saved tree, which holds none."""
        if self.root is None:
            return path
        place = os.path.join(self._stand_ins or "", "dev", os.path.basename(path))
        if self._stand_ins is None or not os.path.exists(place):
            raise Unevaluated(UnknownReason.PRECONDITION, "a saved tree holds no drive")
        return place

    def _played(self, argv: tuple[str, ...]) -> tuple[str, ...] | None:
        """The same command as the lab plays it, None where this is no node of a lab, or one that knows no such tool."""
        folder = self._stand_ins
        if folder is None:
            return None
        place = os.path.join(folder, "bin", os.path.basename(argv[0]))
        return (place, *argv[1:]) if os.path.exists(place) else None

    @property
    def _stand_ins(self) -> str | None:
        return os.environ.get(STAND_INS) if self.root is not None and self.origin == Origin.SIMULATED else None

    def _locate(self, path: str, *, follow_last: bool = True) -> str:
        folder = self._stand_ins
        if folder is None or not (path == FOLDER or path.startswith(f"{FOLDER}/")):
            return super()._locate(path, follow_last=follow_last)
        place = os.path.join(folder, "run", path[len(FOLDER) :].lstrip("/"))
        if path != FOLDER and not self.is_root and os.path.exists(os.path.join(folder, "run")):
            raise PermissionError(13, "Permission denied", path)
        return place
