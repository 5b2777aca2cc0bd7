"""A recording of a machine: what programs read on it, so that the same programs, run over it, see the same.

`Recorder` notes what it reads; `Recorded` answers from such notes, which lie in a tree. What was never read is not
there to be told: asking for it raises, since nobody saw that it is absent.
"""

from __future__ import annotations

import errno
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

from diag.nodekit.command import Ran
from diag.nodekit.digests import Digest, require_within
from diag.nodekit.judge import Document
from diag.nodekit.machine import MAX_FILE_BYTES, Machine
from diag.nodekit.printable import UNPRINTABLE
from diag.nodekit.problems import MissingTool
from diag.nodekit.vocabulary import Elevation

T = TypeVar("T")
COMMANDS = "/cmd/commands.json"
MAX_NOTES = 64 * 1024 * 1024  # bytes of the list of commands, and of the longest content, of a recording
_ODD = re.compile(rf"[\\{UNPRINTABLE}]")
_WITHOUT_NUMBER = {kind.__name__: kind for kind in (PermissionError, TimeoutError)}


class Recorder(Machine):
    """A machine that notes each read with its result; set `note` before it is used.

    `about_to` is told of each read before it is made, so that one which never returns can be named.
    """

    note: Callable[[Document], None]
    about_to: Callable[[Document], None]

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """As Machine has it."""
        return self._kept({"op": "read", "path": path, "limit": limit}, lambda: Machine.read_bytes(self, path, limit))

    def read_newest(self, path: str, limit: int) -> tuple[bytes, int]:
        """As Machine has it."""
        return self._kept({"op": "read", "path": path, "limit": limit}, lambda: Machine.read_newest(self, path, limit))

    def exists(self, path: str) -> bool:
        """As Machine has it."""
        return self._kept({"op": "exists", "path": path}, lambda: Machine.exists(self, path))

    def names(self, path: str) -> list[str]:
        """As Machine has it."""
        return self._kept({"op": "names", "path": path}, lambda: Machine.names(self, path))

    def link_target(self, path: str) -> str | None:
        """As Machine has it."""
        return self._kept({"op": "link", "path": path}, lambda: Machine.link_target(self, path))

    def modified(self, path: str) -> float:
        """As Machine has it."""
        return self._kept({"op": "modified", "path": path}, lambda: Machine.modified(self, path))

    def digest(self, path: str, limit: int = MAX_FILE_BYTES) -> Digest:
        """As Machine has it."""
        return self._kept({"op": "digest", "path": path}, lambda: Machine.digest(self, path, limit))

    def run(
        self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES, elevate: bool = False
    ) -> Ran:
        """As Machine has it."""
        read = {"op": "run", "argv": list(argv), "elevate": elevate, "limit": limit}
        return self._kept(read, lambda: Machine.run(self, argv, seconds=seconds, limit=limit, elevate=elevate))

    def _kept(self, read: Document, step: Callable[[], T]) -> T:
        self.about_to(read)
        started = time.monotonic()
        try:
            value = step()
        except (OSError, MissingTool) as problem:
            self.note({**read, "error": told(problem), **_took(read, started)})
            raise
        self.note({**read, **_result(value), **_took(read, started)})
        return value


def _took(read: Document, started: float) -> Document:
    """How long a command took, in seconds; of other reads nobody asks."""
    return {"seconds": round(time.monotonic() - started, 3)} if read["op"] == "run" else {}


def _result(value: object) -> Document:
    if isinstance(value, tuple):
        content, dropped = value
        return {**_result(content), "dropped": dropped}
    if isinstance(value, bytes):
        try:
            return {"text": value.decode("utf-8")}
        except UnicodeDecodeError:
            return {"base64": b64encode(value).decode("ascii")}
    if isinstance(value, Digest):
        return {"value": [value.sha256, str(value.size)]}
    if isinstance(value, Ran):
        return {"rc": value.exit_status, "stdout": value.stdout, "stderr": value.stderr, "truncated": value.truncated}
    return {"value": value}


def told(problem: Exception) -> Document:
    """An exception of a read, so that `raised` can make it again."""
    if isinstance(problem, MissingTool):
        return {"kind": "MissingTool", "words": problem.tool}
    if isinstance(problem, OSError) and problem.errno is not None:
        return {"kind": "OSError", "errno": problem.errno, "words": problem.strerror or ""}
    return {"kind": "TimeoutError" if isinstance(problem, TimeoutError) else "PermissionError", "words": str(problem)}


HUNG: Document = {"kind": "Hung", "words": "did not return"}
"""The error of a read during which the process that made it was killed."""


def raised(error: Any, path: str | None) -> Exception:
    """The exception that `told` put in words; a read that never returned does not return now either."""
    kind, words = error["kind"], str(error["words"])
    while kind == HUNG["kind"]:
        time.sleep(60)  # until this process is killed as that one was
    if kind == "MissingTool":
        return MissingTool(words)
    if kind == "OSError":
        return OSError(int(error["errno"]), words, path)
    return _WITHOUT_NUMBER[kind](words)


class Recorded(Machine):
    """A machine of which a recording lies under `root`: `recorded` of its `.tree.json`, and what was read beside it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        recorded = self._tree.get("recorded")
        if not isinstance(recorded, dict) or not isinstance(recorded.get("live"), bool):
            raise OSError(errno.EINVAL, "unreadable .tree.json: a recording that does not say of what", self.root)
        self._notes: Document = recorded
        self._runs: dict[tuple[tuple[str, ...], bool], Document] | None = None
        self._took = 0.0

    def clock(self) -> float:
        """As Machine has it: only the commands take time, what they took then."""
        return self._took

    @property
    def as_live(self) -> bool:
        """Whether the programs read a running machine when this was recorded."""
        return self._notes.get("live") is True

    @property
    def ends(self) -> int | None:
        """How many ends of boots were recorded."""
        ends = self._notes.get("ends")
        return ends if isinstance(ends, int) and ends > 0 else None

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """As Machine has it."""
        with self._noted():
            noted = self._noted_as("read", path)
            if noted.get("dropped"):
                raise OSError(errno.EIO, "Not collected but for its end", path)
            content = self._content(path, noted, limit)
            if limit > noted["limit"] <= len(content):
                raise OSError(errno.EIO, f"Not collected beyond {noted['limit']} bytes", path)
            return content

    def _content(self, path: str, noted: Document, limit: int = MAX_NOTES) -> bytes:
        """What was read; raises OSError where it is not handed on: it was there, so that it is not absent."""
        try:
            return super().read_bytes(resting_place(path, noted.get("copy")), limit)
        except FileNotFoundError:
            raise OSError(errno.EIO, "Withheld", path) from None

    def read_newest(self, path: str, limit: int) -> tuple[bytes, int]:
        """As Machine has it."""
        with self._noted():
            noted = self._noted_as("read", path)
            content, before = self._content(path, noted), int(noted.get("dropped", 0))
            if not before and len(content) >= noted["limit"]:
                raise OSError(errno.EIO, "Not collected to its end", path)
            if before and limit > noted["limit"]:
                raise OSError(errno.EIO, f"Not collected but for its last {noted['limit']} bytes", path)
            over = max(len(content) - limit, 0)
            return content[over:], before + over

    def exists(self, path: str) -> bool:
        """As Machine has it."""
        with self._noted():
            return bool(self._noted_as("exists", path)["value"])

    def names(self, path: str) -> list[str]:
        """As Machine has it."""
        with self._noted():
            return sorted(str(name) for name in self._noted_as("names", path)["value"])

    def link_target(self, path: str) -> str | None:
        """As Machine has it."""
        with self._noted():
            target = self._noted_as("link", path)["value"]
            return None if target is None else str(target)

    def modified(self, path: str) -> float:
        """As Machine has it."""
        with self._noted():
            return float(self._noted_as("modified", path)["value"])

    def digest(self, path: str, limit: int = MAX_FILE_BYTES) -> Digest:
        """As Machine has it."""
        with self._noted():
            sha256, size = self._noted_as("digest", path)["value"]
            return require_within(Digest(str(sha256), int(size)), limit, path)

    def run(
        self,
        argv: tuple[str, ...],
        *,
        seconds: float = 5.0,  # noqa: ARG002 - it has run
        limit: int = MAX_FILE_BYTES,
        elevate: bool = False,
    ) -> Ran:
        """As Machine has it, with what the command printed then."""
        with self._noted():
            self.meter.children += 1
            ran = self._recorded_runs().get((argv, elevate))
            if ran is None:
                raise OSError(errno.EIO, f"Not collected: {' '.join(argv)}")
            self._took += float(ran.get("seconds", 0.0))
            if "error" in ran:
                raise raised(ran["error"], None)
            stdout, stderr = self._recorded_output(ran), str(ran.get("stderr", ""))
            cut = bool(ran.get("truncated")) or len(stdout) > limit
            return Ran(int(ran["rc"]), stdout[:limit], stderr[:limit], cut)

    def _noted_as(self, op: str, path: str) -> Document:
        """The note of a read; raises what the read raised, or OSError where there was none."""
        notes = self._notes.get(op)
        note = notes.get(path) if isinstance(notes, dict) else None
        if note is None:
            raise OSError(errno.EIO, "Not collected", path)
        if "error" in note:
            raise raised(note["error"], path)
        noted: Document = note
        return noted

    def _recorded_runs(self) -> dict[tuple[tuple[str, ...], bool], Document]:
        if self._runs is None:
            entries = json.loads(Machine.read_bytes(self, COMMANDS, MAX_NOTES))
            self._runs = {(tuple(entry["argv"]), entry["elevate"]): entry for entry in entries}
        return self._runs


def resting_place(path: str, copy: object = None) -> str:
    """Where the content of a file lies in a recording.

    No link leads there, so that `..` is a name like others; what no file should be called is written as `%5C`. Of two
    paths that would be one file where case is lost, the second lies in a folder of its `copy`.
    """
    parts = ["%2E%2E" if part == ".." else _ODD.sub(_percent, part) for part in path.split("/")]
    return "/".join(parts) if copy is None else f"/~{copy}" + "/".join(parts)


def _percent(odd: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in odd.group().encode("utf-8", "surrogatepass"))


def machine_at(root: str | None, elevation: str = Elevation.NONE) -> Machine:
    """This machine, a tree of another one under `root`, or a recording of one; raises OSError as Machine does."""
    machine = Machine(root, elevation)
    return Recorded(root, elevation) if machine.is_recording else machine
