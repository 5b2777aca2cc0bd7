"""What a collector declares about itself; one file in `diag/collectors/` is one artefact or a few.

A file has a `COLLECTOR`. What it takes are files, values and commands, each of which becomes one entry of the bundle.
The group of an artefact is the first word of its file's name: `kernel_log.py` fills `kernel/`. Nothing is judged here.
What cannot be taken is named with its reason; what is cut keeps its most useful end. Besides there are reports of tools
of other makers, which write: see `isolated`.

A command only reads: it neither writes a cache nor asks the network (`-n` where a tool would look up names), and does
nothing that a running workload would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from diag.nodekit.isolated import ARCHIVE, Report
from diag.nodekit.machine import Machine

KIB, MIB = 1024, 1024 * 1024


class Volatility(IntEnum):
    """How soon it is gone, soonest first: that is the order of collecting."""

    MOMENT = 1  # changes while one looks: processes, sockets, pressure, clocks of the GPU
    BOOT = 2  # gone with the next boot: the kernel's log, modules, /proc, /run
    LOGS = 3  # rotated or vacuumed away: journal, logs
    STATE = 4  # until somebody changes it: packages, configuration
    FIXED = 5  # the hardware itself: tables of the firmware, serials


class Kind:
    """How the content is to be redacted."""

    TEXT = "text"
    JSON = "json"
    JOURNAL = "journal_json"
    NUL = "nul"
    BINARY = "binary"
    ARCHIVE = ARCHIVE


class Keep:
    """Which end is kept of what is longer than its limit."""

    OLDEST, NEWEST = "oldest", "newest"


@dataclass(frozen=True)
class Command:
    """One argv without a shell, as the entry `name`; `seconds` and `limit` (bytes) bound it.

    With `elevate` it needs root, and is then part of the list that a sudoers drop-in allows; with `plain` it tells less
    to an ordinary user, which is better than nothing. `nothing` are the exit statuses with which it says that there is
    nothing to print.
    """

    name: str
    argv: tuple[str, ...]
    seconds: float = 5.0
    limit: int = MIB
    kind: str = Kind.TEXT
    keep: str = Keep.OLDEST
    elevate: bool = False
    plain: bool = False
    nothing: tuple[int, ...] = ()

    @property
    def source(self) -> dict[str, object]:
        """Where it comes from, as the list of artefacts says it."""
        return {"argv": list(self.argv)}

    @property
    def longest(self) -> float:
        """The seconds that it may take in all."""
        return self.seconds

    @property
    def elevated(self) -> tuple[tuple[str, ...], ...]:
        """What runs as root."""
        return (self.argv,) if self.elevate else ()


@dataclass(frozen=True)
class File:
    """One file as the entry `name`, at most `limit` bytes of it.

    With `elevate`, where it may not be read, `cat` (or `tail`, for its newest bytes) reads it as root.
    """

    name: str
    path: str
    limit: int = MIB
    kind: str = Kind.TEXT
    keep: str = Keep.OLDEST
    elevate: bool = False
    seconds: float = 3.0

    @property
    def source(self) -> dict[str, object]:
        """Where it comes from, as the list of artefacts says it."""
        return {"path": self.path}

    @property
    def longest(self) -> float:
        """The seconds that it may take in all: what needs root has a second try."""
        return 2 * self.seconds if self.elevate else self.seconds

    @property
    def elevated(self) -> tuple[tuple[str, ...], ...]:
        """What runs as root: one byte more than the limit shows that there is more."""
        newest = ("/usr/bin/tail", "-c", str(self.limit + 1), self.path)
        return (newest if self.keep == Keep.NEWEST else ("/usr/bin/cat", self.path),) if self.elevate else ()


@dataclass(frozen=True)
class Values:
    """Many small files below one folder as the entry `name`, each under its path (see `values`).

    `files` are paths below `path` in which `*` stands for any characters of one part.
    """

    name: str
    path: str
    files: tuple[str, ...]
    limit: int = 64 * KIB
    kind: str = Kind.TEXT
    seconds: float = 3.0

    @property
    def source(self) -> dict[str, object]:
        """Where it comes from, as the list of artefacts says it."""
        return {"path": self.path}

    @property
    def longest(self) -> float:
        """The seconds that it may take in all."""
        return self.seconds

    @property
    def elevated(self) -> tuple[tuple[str, ...], ...]:
        """Nothing of it runs as root."""
        return ()


Take = Command | File | Values | Report


def whole_files(folder: str) -> tuple[str, ...]:
    """Prints every small file below a folder that only root may read, each under its path."""
    tail = ("/usr/bin/tail", "-v", "-n", "+1", "{}", "+")
    return ("/usr/bin/find", folder, "-type", "f", "-size", "-64k", "-exec", *tail)


@dataclass(frozen=True)
class Collector:
    """`takes` are the entries, or make them of what is on the machine (one for each file of a folder, say).

    What `takes` makes may not elevate: an exact list must be known beforehand. `opt_in` ones are taken when named only,
    by their id or by what they are `called`.
    """

    title: str
    volatility: Volatility
    takes: tuple[Take, ...] | Callable[[Machine], Iterable[Take]]
    opt_in: bool = False
    called: str = ""

    @property
    def elevated(self) -> tuple[tuple[str, ...], ...]:
        """Every argv that it runs as root where the run allows it."""
        return () if callable(self.takes) else tuple(argv for take in self.takes for argv in take.elevated)

    @property
    def reports(self) -> tuple[Report, ...]:
        """What tools of other makers write for it, each in a service of its own."""
        return () if callable(self.takes) else tuple(take for take in self.takes if isinstance(take, Report))

    def within(self, seconds: float) -> Collector:
        """The same with another limit of time for its reports."""
        if callable(self.takes):
            return self
        takes = tuple(take.within(seconds) if isinstance(take, Report) else take for take in self.takes)
        return replace(self, takes=takes)


@dataclass(frozen=True)
class LoadedCollector:
    """A collector with its id (`kernel.log` for `kernel_log.py`) and group."""

    collector_id: str
    collector: Collector
    group: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", self.collector_id.partition(".")[0])

    @property
    def called(self) -> str:
        """The name to ask for it by."""
        return self.collector.called or self.collector_id
