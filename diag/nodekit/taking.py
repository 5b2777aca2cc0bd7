"""The jobs of a collection: take one entry, list what there is to take, or record what a task reads."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import diag.collectors
from diag.nodekit.check import check_id
from diag.nodekit.collector import Collector, Command, File, Keep, Kind, LoadedCollector, Take, Values
from diag.nodekit.isolated import Report
from diag.nodekit.jobs import Outlet
from diag.nodekit.judge import Document
from diag.nodekit.listing import modules_of
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.problems import MissingTool, reason_for, words_of
from diag.nodekit.recording import HUNG, Recorder
from diag.nodekit.reporting import send_report
from diag.nodekit.values import send_values
from diag.nodekit.vocabulary import TakenStatus, UnknownReason
from diag.nodekit.workers import Task

MAX_LISTED = 100  # entries that one collector makes of what it finds
MAX_WORDS = 200
LISTING_SECONDS = 3.0
NO_FILE = ": No such file or directory"  # of a command that was told to look there


def load_collectors() -> list[LoadedCollector]:
    """Every collector, soonest gone first."""
    loaded = [_load(name) for name in modules_of(diag.collectors)]
    return sorted(loaded, key=lambda one: (one.collector.volatility, one.collector_id))


def _load(name: str) -> LoadedCollector:
    collector: Collector = importlib.import_module(f"diag.collectors.{name}").COLLECTOR
    return LoadedCollector(check_id(name), collector)


@dataclass(frozen=True)
class TakeJob:
    """One entry of the bundle."""

    collector: LoadedCollector
    take: Take

    @property
    def name(self) -> str:
        """The entry: its group and its own name."""
        return f"{self.collector.group}/{self.take.name}"

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""
        return self.take.longest

    def described(self) -> Document:
        """What is taken, from where and how; a name that a node made up may hold what no document can."""
        source = {key: printable(value) if isinstance(value, str) else value for key, value in self.take.source.items()}
        collector = self.collector.collector_id
        return {"name": printable(self.name), "collector": collector, "source": source, "kind": self.take.kind}

    def work(self, machine: Machine, outlet: Outlet) -> Document:
        """Send the content, and say how whole it is."""
        try:
            if isinstance(self.take, Values):
                return send_values(machine, self.take, outlet)
            if isinstance(self.take, Report):
                return send_report(machine, self.take, outlet)
            taken = _command(machine, self.take) if isinstance(self.take, Command) else _file(machine, self.take)
        except (FileNotFoundError, NotADirectoryError, MissingTool) as absent:
            return {"status": TakenStatus.ABSENT, "words": _words(words_of(absent))}
        except OSError as problem:
            return {"status": TakenStatus.MISSING, "reason": reason_for(problem), "words": _words(words_of(problem))}
        content = taken.whole_lines(self.take.kind)
        outlet.send(content)
        return taken.facts(len(content))

    def last_words(self, note: Document) -> bytes:  # noqa: ARG002 - as every job
        """Nothing: what has arrived is told by its length."""
        return b""


@dataclass(frozen=True)
class Taken:
    """Content, and what is not in it: what was `dropped` before it, what was cut off behind it, what came too late.

    `nothing` says that there is nothing to take, by the word of the command itself, `unprivileged` that root would have
    been told more.
    """

    content: bytes
    dropped: int = 0
    cut: bool = False
    timed_out: bool = False
    exit_status: int | None = None
    complaint: str = ""
    nothing: bool = False
    unprivileged: bool = False

    def whole_lines(self, kind: str) -> bytes:
        """The content without the piece of a line at an end that was cut: half of a secret is not known as one."""
        content = self.content
        if kind == Kind.BINARY:
            return content
        separator = b"\0" if kind == Kind.NUL else b"\n"
        if self.dropped:
            content = content.partition(separator)[2]
        if self.cut or self.timed_out:
            content = b"".join(content.rpartition(separator)[:2])
        return content

    def facts(self, size: int) -> Document:
        """Status, reason and words for `size` bytes that were sent."""
        facts: Document = {"status": TakenStatus.COLLECTED}
        if self.nothing:
            return {"status": TakenStatus.ABSENT, "words": _words(self.complaint or "there is nothing to print")}
        if self.exit_status not in (0, None):
            facts |= {"exit_status": self.exit_status}
            facts |= {"words": _words(self.complaint or f"it ended with {self.exit_status}")}
            if not self.content:
                return facts | {"status": TakenStatus.MISSING, "reason": UnknownReason.IO_ERROR}
        if self.timed_out:
            why = {"reason": UnknownReason.TIMEOUT, "words": "it did not end in time"}
            return facts | why | {"status": TakenStatus.PARTIAL if size else TakenStatus.MISSING}
        if self.cut or self.dropped:
            facts |= {"status": TakenStatus.PARTIAL if size else TakenStatus.MISSING}
            facts |= {"reason": UnknownReason.PRECONDITION}
            facts |= {"words": f"what came {'after' if self.cut else 'before'} is left out: it is over its limit"}
        elif self.unprivileged:
            why = {"reason": UnknownReason.NOT_PERMITTED, "words": "as an ordinary user sees it: root would see more"}
            facts |= {"status": TakenStatus.PARTIAL} | why
        return facts


def _command(machine: Machine, take: Command) -> Taken:
    try:
        return _ran(machine, take, elevate=take.elevate)
    except PermissionError:
        if not take.plain:
            raise
        taken = _ran(machine, take, elevate=False)
        if not taken.content:
            raise
        return replace(taken, unprivileged=True)


def _ran(machine: Machine, take: Command, *, elevate: bool) -> Taken:
    newest = take.keep == Keep.NEWEST
    ran = machine.gather(take.argv, seconds=take.seconds, limit=take.limit, newest=newest, elevate=elevate)
    first = next(iter(ran.stderr.decode("utf-8", "replace").splitlines()), "")
    no_file = first.startswith(f"{take.argv[0]}: ") and first.endswith(NO_FILE)
    nothing = not ran.stdout and (ran.exit_status in take.nothing or (ran.exit_status not in (0, None) and no_file))
    return Taken(ran.stdout, ran.dropped, ran.cut, ran.timed_out, ran.exit_status, first, nothing)


def _file(machine: Machine, take: File) -> Taken:
    try:
        if take.keep == Keep.NEWEST:
            return Taken(*machine.read_newest(take.path, take.limit))
        content = machine.read_bytes(take.path, take.limit + 1)
        return Taken(content[: take.limit], cut=len(content) > take.limit)
    except PermissionError:
        if not take.elevate or machine.is_root:
            raise
    argv = Command(take.name, take.elevated[0], take.seconds, take.limit, take.kind, take.keep, elevate=True)
    return _command(machine, argv)


@dataclass(frozen=True)
class ListJob:
    """What a collector takes of what is on the machine."""

    collector: LoadedCollector
    seconds: float = LISTING_SECONDS

    @property
    def name(self) -> str:
        """The collector's id."""
        return self.collector.collector_id

    def work(self, machine: Machine, outlet: Outlet) -> Document:  # noqa: ARG002 - it sends nothing
        """The takes, as many as are allowed."""
        takes = self.collector.collector.takes
        assert callable(takes)  # noqa: S101 - others need no listing
        try:
            found = list(takes(machine))
        except (OSError, MissingTool, ValueError) as problem:
            return {"reason": reason_for(problem), "words": _words(words_of(problem))}
        kept = [{"is": type(take).__name__, **asdict(take)} for take in found[:MAX_LISTED]]
        return {"takes": kept, "left_out": len(found) - len(kept)}

    def last_words(self, note: Document) -> bytes:  # noqa: ARG002 - as every job
        """Nothing."""
        return b""


def take_of(listed: dict[str, Any]) -> Take:
    """A take of what a ListJob answered."""
    kind: type[Take] = {"Command": Command, "File": File, "Values": Values}[listed["is"]]
    given = {key: value for key, value in listed.items() if key != "is"}
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    return kind(**fields)


@dataclass(frozen=True)
class RecordJob:
    """All that a task of another program reads, as lines of JSON."""

    task: Task
    name: str

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""
        return self.task.seconds

    def work(self, machine: Machine, outlet: Outlet) -> Document:
        """Do the task, and send a note of each read that it makes."""
        recorder = Recorder(machine.root, machine.elevation, machine.elevated_commands, machine.meter)
        recorder.note = lambda note: outlet.send(_line(note))
        recorder.about_to = outlet.about_to
        _, bugs = self.task.judge(recorder)
        return {"status": TakenStatus.COLLECTED} | ({"words": _words(bugs[0])} if bugs else {})

    def last_words(self, note: Document) -> bytes:
        """That this read did not return; what came before it may be half a line."""
        return b"\n" + _line({**note, "error": HUNG})


@dataclass(frozen=True)
class MachineJob:
    """What a recording says of the machine as a whole; `ends` is how many ends of boots are recorded."""

    ends: int
    name: str = "machine"
    seconds: float = 2.0

    def work(self, machine: Machine, outlet: Outlet) -> Document:
        """Send one note."""
        euid = 0 if machine.is_root else 1000
        note = {"op": "machine", "live": machine.as_live, "now": machine.now(), "euid": euid, "ends": self.ends}
        outlet.send(_line(note))
        return {"status": TakenStatus.COLLECTED}

    def last_words(self, note: Document) -> bytes:  # noqa: ARG002 - as every job
        """Nothing."""
        return b""


def jobs_of(collectors: Sequence[LoadedCollector], listed: dict[str, list[Take]]) -> list[TakeJob]:
    """A job for each take; `listed` are the takes of collectors that made them of what is there."""
    return [
        TakeJob(loaded, take)
        for loaded in collectors
        for take in (
            listed.get(loaded.collector_id, []) if callable(loaded.collector.takes) else loaded.collector.takes
        )
    ]


def _line(note: Document) -> bytes:
    """A line of JSON; half a character, as in a name of a file that is no UTF-8, becomes a question mark."""
    return json.dumps(note, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _words(text: str) -> str:
    return printable(text, MAX_WORDS)
