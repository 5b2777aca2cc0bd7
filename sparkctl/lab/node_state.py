"""What acts have made of a simulated node: kept in a file of its lab, changed by its stand-ins and by the lab's server.

Standard library only: the stand-ins start without anything else.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

STATE, FACTS, RUN, UNITS, BOOT_ID, CHANGES = "state.json", "facts.json", "run", "units", "boot_id", "changes"
DRIVE = "dev/nvme0n1"
"""The file that is its drive."""
REBOOT = "reboot"
"""The file with which a node asks the lab's server to restart it."""
UP_BEFORE, OFF = 30.0, 8.0
"""Seconds that a node has been up when it answers again, and was off before that: though the lab waits less."""


@dataclass
class NodeState:
    """`ended` holds the boots that acts ended: how long each lasted and was off until the next (s), and its kernel.

    `booted_at` is when the running boot answered first (seconds since 1970, 0 for one that no act began). `packages`
    are versions that acts brought, `masked` and `stopped` are units, `firmware` is staged for a restart (GUID to
    version) and `flashed` was taken by one. `swapped` says that another machine answers in its place. `sanitize`
    is the log page of its drive (sstat, sprog, cdw10, and how often it was asked for since the sanitise began), empty
    before the first sanitise.
    """

    ended: list[list[Any]] = field(default_factory=list)
    booted_at: float = 0.0
    kernel: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    masked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    next_entry: str | None = None
    firmware: dict[str, str] = field(default_factory=dict)
    flashed: dict[str, str] = field(default_factory=dict)
    refreshed: int = 0
    swapped: bool = False
    sanitize: dict[str, int] = field(default_factory=dict)
    tpm_cleared: bool = False


def read(folder: Path) -> NodeState:
    """The state of the node whose files are in `folder`, a fresh one where no act has been."""
    try:
        return NodeState(**json.loads((folder / STATE).read_text("utf-8")))
    except FileNotFoundError:
        return NodeState()


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[NodeState]:
    """The state to be changed; it is written when the block ends well. Others wait meanwhile."""
    with (folder / CHANGES).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = read(folder)
        yield state
        write(folder / STATE, json.dumps(asdict(state)))


def write(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or none of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def facts(folder: Path) -> dict[str, Any]:
    """What the lab says of the node: see `acting.facts_of`."""
    told: dict[str, Any] = json.loads((folder / FACTS).read_text("utf-8"))
    return told
