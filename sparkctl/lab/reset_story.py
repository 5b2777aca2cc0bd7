"""What a story of a simulated node consists of: boots, what each logged, and how it left things to the next one.

A story says what happened; `reset_render` writes it down as the files and recordings that a node would have.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparkctl.lab.faults import Fault
from sparkctl.lab.node_model import NodeModel

INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY = 6, 5, 4, 3, 2, 1, 0
"""Levels of syslog(3)."""


@dataclass(frozen=True)
class Writer:
    """Who logs, by journald's own word (systemd.journal-fields(7)).

    The kernel, and whoever writes to its log before journald runs or after it ended, have no process behind them.
    """

    transport: str
    identifier: str
    pid: int | None = None
    uid: int = 0
    comm: str = ""
    unit: str = ""
    exe: str = ""


KERNEL = Writer("kernel", "kernel")


@dataclass(frozen=True)
class Line:
    """One entry of the journal; `at` is in seconds since the kernel started.

    `message_id` is that of the catalogue, `fields` are further ones of the journal.
    """

    at: float
    writer: Writer
    message: str
    message_id: str = ""
    level: int = INFO
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Dump:
    """What the kernel writes to firmware memory: why (`Panic`, `Oops`), and its log up to `until` s after its start."""

    reason: str
    until: float


@dataclass(frozen=True)
class Boot:
    """One boot from the start of its kernel.

    `lines` are what it logged beyond what every start does (see `reset_lines.beginning`), `unsaved` lines of the kernel
    that never reached the disk. It lasted `lasted` s, and `off` s later the next kernel started. `closed` says whether
    its journal was closed, `clean` whether its root file system was, `shutdown` when its end was entered in wtmp (None:
    never). `clocks` are times at which the clock of the day was set, and to what (seconds since 1970, None: the right
    time). `restarts` are times at which its user space was started again without the kernel.

    `in_journal` and `in_wtmp` say whether the records of this boot are still there. `release` is its kernel, None for
    the one that runs.
    """

    name: str
    lines: tuple[Line, ...] = ()
    unsaved: tuple[Line, ...] = ()
    lasted: float = 0.0
    off: float = 41.0
    closed: bool = True
    clean: bool = True
    shutdown: float | None = None
    clocks: tuple[tuple[float, float | None], ...] = ((0.0, None),)
    restarts: tuple[float, ...] = ()
    dump: Dump | None = None
    in_journal: bool = True
    in_wtmp: bool = True
    release: str | None = None


@dataclass(frozen=True)
class Note:
    """What a boot of this name added to a log of its own `at` seconds after its start; `text` as for strftime(3)."""

    path: str
    boot: str
    at: float
    text: str


@dataclass(frozen=True)
class Past:
    """The boots of a node, oldest first; the last one runs.

    `storage` is that of journald.conf(5), `readable` says whether the visitor may read the journal. `files` are written
    into the tree besides, `edits` (path, before, after) change what is there.
    """

    boots: tuple[Boot, ...]
    storage: str = "persistent"
    readable: bool = True
    notes: tuple[Note, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    edits: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What `sparkctl reset-reason` says of the newest transition: its claims, and two words of the flat answer."""

    termination: str
    reset_domain: str
    initiator: str
    expected: str
    data_at_risk: str


@dataclass(frozen=True)
class Truth:
    """What happened, as the leaf that is true on each axis."""

    termination: str
    reset_domain: str
    initiator: str


@dataclass(frozen=True)
class Story:
    """A named past. `signs` are the checks of a sweep in which it shows, `proved` what its evidence entails, no more.

    `change` is what else is different about the node.
    """

    name: str
    description: str
    truth: Truth
    proved: Answer
    tell: Callable[[NodeModel], Past]
    signs: tuple[str, ...] = ()
    change: Callable[[NodeModel], NodeModel] = lambda node: node
    behaviour: str = "normal"

    def fault(self) -> Fault:
        """The story as something that `lab break` puts into a node."""
        return Fault(self.name, self.description, "warn" if self.signs else "pass", self._happened, self.behaviour)

    def _happened(self, node: NodeModel) -> NodeModel:
        up = float(7_200 + node.jitter("story", 72_000))  # since yesterday at most: it is news
        return self.change(replace(node, past=self.name, uptime=up))
