"""The machine a program looks at: the one it runs on, or a saved tree of another one.

Everything that a check reads goes through here, so that the same check runs on a live node, on a rooted tree and on a
simulated node. Nothing in here writes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from diag.nodekit.command import Gathered, Ran, gather, run_bounded
from diag.nodekit.digests import Digest, digest_of, require_within
from diag.nodekit.problems import MissingTool
from diag.nodekit.vocabulary import Elevation, Origin

MAX_FILE_BYTES = 256 * 1024
# Not there, not a link, or (sysfs) a device that has no value to tell now: proven, so no failure.
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EINVAL})
NO_VALUE = frozenset({errno.EINVAL, errno.ENODEV, errno.ENXIO, errno.EOPNOTSUPP, errno.ENODATA, errno.EAGAIN})
MAX_LINKS = 40  # as many as Linux follows before it says ELOOP
SUDO = ("sudo", "-n")
REPLAY_SECONDS = 1.0  # for a recording of a command that took its time
MAX_RECORDED = 8 * 1024 * 1024  # bytes of what all recorded commands printed, and of each that has a file of its own


@dataclass
class Meter:
    """What the program cost so far: processes started and bytes read from commands and files."""

    children: int = 0
    bytes: int = 0


@dataclass
class Machine:
    """Reads files and runs commands, on the live machine or under `root`.

    `failures` holds every source that failed, also where the reader went on without it, in the order of reading.
    """

    root: str | None = None
    elevation: str = Elevation.NONE
    elevated_commands: frozenset[tuple[str, ...]] = frozenset()
    meter: Meter = field(default_factory=Meter)
    failures: list[OSError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._recorded: dict[tuple[str, ...], dict[str, object]] | None = None
        self._tree = self._load_tree_facts()

    @property
    def origin(self) -> str:
        """Whether this is a live machine, a tree, or a simulated machine."""
        if self.root is None:
            return Origin.LIVE
        return Origin.SIMULATED if self._tree.get("simulated") is True else Origin.TREE

    @property
    def is_recording(self) -> bool:
        """Whether this tree says that it is a recording, with what was not there as well as with what was."""
        return "recorded" in self._tree

    @property
    def as_live(self) -> bool:
        """Whether this is a running machine, where what is not there is absent; in a tree it may be uncollected."""
        return self.root is None

    @property
    def ends(self) -> int | None:
        """How many ends of boots can be asked for, None where that is not known beforehand."""
        return None

    @property
    def is_root(self) -> bool:
        """Whether the program has (or, on a tree, had) the rights of root."""
        euid = os.geteuid() if self.root is None else self._tree.get("euid", 0)
        return euid == 0

    def now(self) -> float:
        """Seconds since the epoch by the machine's own clock."""
        recorded = self._tree.get("now")
        sane = isinstance(recorded, (int, float)) and 0 <= recorded < 2.0**37  # NaN is not
        return float(recorded) if sane and isinstance(recorded, (int, float)) else time.time()

    def clock(self) -> float:
        """Seconds by a clock that only goes forward, to tell how long something took."""
        return time.monotonic()

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> str:
        """Text of a file without trailing white space, at most `limit` bytes; raises OSError as `open` does."""
        return self.read_bytes(path, limit).decode("utf-8", "replace").rstrip()

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """The first `limit` bytes of a file; raises OSError as `open` does, also for a pipe or device of a tree."""
        with self._as_seen_on_the_node(path), self._opened(path) as file:
            content = file.read(limit)
        self.meter.bytes += len(content)
        return content

    def read_newest(self, path: str, limit: int) -> tuple[bytes, int]:
        """The last `limit` bytes of a regular file, and how many stand before them; raises OSError as `open` does."""
        with self._as_seen_on_the_node(path), self._opened(path) as file:
            dropped = max(os.fstat(file.fileno()).st_size - limit, 0)
            file.seek(dropped)
            content = file.read(limit)
        self.meter.bytes += len(content)
        return content, dropped

    def digest(self, path: str, limit: int = MAX_FILE_BYTES) -> Digest:
        """What a file holds, where that has only to be compared: a recording has the digest, and no content.

        Raises OSError as `open` does, for what is no regular file, and for more than `limit` bytes.
        """
        with self._as_seen_on_the_node(path):
            if self.root is None and not stat.S_ISREG(os.stat(path).st_mode):
                raise OSError(errno.EIO, "Not a regular file", path)
            with self._opened(path) as file:
                content = file.read(limit + 1)
            self.meter.bytes += len(content)
            return require_within(digest_of(content), limit, path)

    def _opened(self, path: str) -> BinaryIO:
        place = self._locate(path)
        self._require_data(place)
        return open(place, "rb")

    def _require_data(self, place: str) -> None:
        """A tree is data: to open its pipe, socket or device could wait for ever, or set off something here.

        In the tree of a simulated machine a pipe stands for a file whose read never returns.
        """
        if self.root is None:
            return
        mode = os.stat(place).st_mode
        hangs = stat.S_ISFIFO(mode) and self.origin == Origin.SIMULATED
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or hangs):
            raise OSError(errno.EIO, "Not a regular file", place)

    def read_or_none(self, path: str) -> str | None:
        """Text of a file, or None where there is no such file or the kernel has no value for it now."""
        try:
            return self.read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`; raises PermissionError when that cannot be seen."""
        try:
            with self._as_seen_on_the_node(path):
                os.lstat(self._locate(path, follow_last=False))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def names(self, path: str) -> list[str]:
        """Sorted names in a folder, none when the folder does not exist."""
        try:
            with self._as_seen_on_the_node(path):
                return sorted(os.listdir(self._locate(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def link_name(self, path: str) -> str | None:
        """Last part of what a symbolic link points to (`nvidia` for a device's `driver`), None when there is none."""
        target = self.link_target(path)
        return None if target is None else os.path.basename(target)

    def link_target(self, path: str) -> str | None:
        """What a symbolic link says, as it stands there, None when there is none; raises OSError."""
        try:
            with self._as_seen_on_the_node(path):
                return os.readlink(self._locate(path, follow_last=False))
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise

    def modified(self, path: str) -> float:
        """When a file was last written, in seconds since the epoch; raises OSError."""
        with self._as_seen_on_the_node(path):
            return os.stat(self._locate(path)).st_mtime

    def run(
        self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES, elevate: bool = False
    ) -> Ran:
        """Run a command to its end and return what it printed, at most `limit` bytes per stream.

        With `elevate`, the command needs root: it runs as it is when the program is root, under `sudo -n` when the run
        allows elevated commands and the check has declared this very argv, and not at all otherwise.
        Raises MissingTool, PermissionError, TimeoutError.
        """
        with self._noted():
            return self._run(argv, seconds, limit, elevate=elevate)

    def gather(
        self, argv: tuple[str, ...], *, seconds: float, limit: int, newest: bool = False, elevate: bool = False
    ) -> Gathered:
        """Run a command and keep what it printed, also where it did not end in time; see `command.gather`.

        Raises MissingTool, PermissionError.
        """
        with self._noted():
            if elevate and not self.is_root:
                self._require(argv)
                argv = self._elevated(argv)
            live = self.root is None
            gathered = gather(argv, seconds, limit, newest=newest) if live else self._gathered(argv, limit, newest)
            self.meter.children += 1
            self.meter.bytes += len(gathered.stdout) + len(gathered.stderr)
            _refuse_where_sudo_did(argv, gathered.exit_status, gathered.stderr.decode("utf-8", "replace"))
            return gathered

    def place(self, path: str) -> str:
        """Where a path of the machine lies here, for a tool that opens it by name; raises PermissionError."""
        with self._as_seen_on_the_node(path):
            return self._locate(path)

    def run_here(self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES) -> Ran:
        """Run a tool of this machine on files of the machine that is looked at (see `place`), be that a tree or not.

        Raises MissingTool, PermissionError, TimeoutError.
        """
        with self._noted():
            ran = run_bounded(argv, seconds, limit)
        self.meter.children += 1
        self.meter.bytes += len(ran.stdout) + len(ran.stderr)
        return ran

    def _run(self, argv: tuple[str, ...], seconds: float, limit: int, *, elevate: bool) -> Ran:
        if elevate and not self.is_root:
            argv = self._elevated(argv)
        ran = run_bounded(argv, seconds, limit) if self.root is None else self._replay(argv, seconds, limit)
        self.meter.children += 1
        self.meter.bytes += len(ran.stdout) + len(ran.stderr)
        _refuse_where_sudo_did(argv, ran.exit_status, ran.stderr)
        return ran

    def _elevated(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        if argv not in self.elevated_commands:
            raise ValueError(f"{' '.join(argv)} is not declared as an elevated command")
        if self.elevation != Elevation.COMMANDS:
            raise PermissionError(f"{' '.join(argv)} needs root")
        return SUDO + argv

    @contextlib.contextmanager
    def _as_seen_on_the_node(self, path: str) -> Iterator[None]:
        """Let errors name the path on the node, not where its tree happens to lie."""
        with self._noted():
            try:
                yield
            except OSError as error:
                error.filename = path
                raise

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in ABSENT | NO_VALUE and error not in self.failures:
                self.failures.append(error)
            raise

    def forgive(self, *failures: OSError) -> None:
        """Take failures off the list: their reader told of them, or another source told the same."""
        self.failures = [kept for kept in self.failures if not any(kept is one for one in failures)]

    def _locate(self, path: str, *, follow_last: bool = True) -> str:
        if self.root is None:
            return path
        if path in self._denied and not self.is_root:
            raise PermissionError(13, "Permission denied", path)
        return _inside(self.root, path, follow_last=follow_last)

    @property
    def _denied(self) -> list[object]:
        denied = self._tree.get("denied", [])
        return denied if isinstance(denied, list) else []

    def _load_tree_facts(self) -> dict[str, object]:
        if self.root is None:
            return {}
        if not os.path.isdir(self.root):
            raise NotADirectoryError(20, "Not a directory", self.root)
        try:
            # Not a FIFO: opening one would block before anything has a limit.
            path = os.path.join(self.root, ".tree.json")
            if os.path.lexists(path) and not os.path.isfile(path):
                raise ValueError("not a regular file")
            with open(path, encoding="utf-8") as file:
                facts = json.load(file)
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            raise OSError(22, f"unreadable .tree.json: {error}", self.root) from error
        return facts if isinstance(facts, dict) else {}

    def _replay(self, argv: tuple[str, ...], seconds: float, limit: int) -> Ran:
        recording = self._recordings().get(argv)
        if recording is None:
            if argv[: len(SUDO)] == SUDO:
                raise PermissionError(f"sudo has no rule for {' '.join(argv[len(SUDO) :])}")
            raise MissingTool(argv[0])
        delay = recording.get("delay_s", 0.0)
        delay = float(delay) if isinstance(delay, (int, float)) else 0.0
        time.sleep(min(delay, seconds))
        if delay > seconds:
            raise TimeoutError(f"{argv[0]} did not end within {seconds:g} s")
        stdout, stderr = self._recorded_output(recording), str(recording.get("stderr", ""))
        status = recording.get("rc", 0)
        return Ran(
            exit_status=status if isinstance(status, int) else 1,
            stdout=stdout[:limit],
            stderr=stderr[:limit],
            truncated=len(stdout) > limit or len(stderr) > limit,
        )

    def _require(self, argv: tuple[str, ...]) -> None:
        """Raise MissingTool where sudo would only say that it has no such command."""
        if self.root is not None:
            recorded = argv in self._recordings() or SUDO + argv in self._recordings()
            there = recorded or Machine.exists(self, argv[0])
        else:
            there = os.path.exists(argv[0])
        if not there:
            raise MissingTool(argv[0])

    def _gathered(self, argv: tuple[str, ...], limit: int, newest: bool) -> Gathered:
        """What a recorded command printed, within the limit."""
        try:
            ran = self._replay(argv, REPLAY_SECONDS, MAX_RECORDED)
        except TimeoutError:
            return Gathered(None, b"", b"", timed_out=True)
        stdout, stderr = self._recorded_bytes(self._recordings()[argv]), ran.stderr[:limit].encode("utf-8", "replace")
        over = max(len(stdout) - limit, 0)
        if newest:
            return Gathered(ran.exit_status, stdout[over:], stderr, dropped=over)
        return Gathered(None if over else ran.exit_status, stdout[:limit], stderr, cut=over > 0)

    def _recordings(self) -> dict[tuple[str, ...], dict[str, object]]:
        if self._recorded is None:
            try:
                entries = json.loads(Machine.read_bytes(self, "/cmd/commands.json", MAX_RECORDED))
            except FileNotFoundError:
                entries = []
            self._recorded = {tuple(entry["argv"]): entry for entry in entries}
        return self._recorded

    def _recorded_output(self, recording: dict[str, object]) -> str:
        return self._recorded_bytes(recording).decode("utf-8", "replace")

    def _recorded_bytes(self, recording: dict[str, object]) -> bytes:
        """What a command printed, which is no text where an archive was printed."""
        name = recording.get("stdout_file")
        if name is None:
            return str(recording.get("stdout", "")).encode("utf-8", "replace")
        return Machine.read_bytes(self, f"/cmd/{os.path.basename(str(name))}", MAX_RECORDED)


def _refuse_where_sudo_did(argv: tuple[str, ...], status: int | None, stderr: str) -> None:
    if argv[: len(SUDO)] == SUDO and status != 0 and stderr.startswith("sudo:"):
        raise PermissionError(f"sudo refused {' '.join(argv[len(SUDO) :])}")


def _inside(root: str, path: str, *, follow_last: bool) -> str:
    """Resolve `path` under `root` so that no link, absolute or climbing, leads out of it."""
    pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    resolved: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            resolved = resolved[:-1]
            continue
        here = os.path.join(root, *resolved, part)
        if not os.path.islink(here) or not (pending or follow_last):
            resolved.append(part)
            continue
        links += 1
        if links > MAX_LINKS:
            raise OSError(40, "Too many levels of symbolic links", path)
        target = os.readlink(here)
        if target.startswith("/"):
            resolved = []
        pending.extend(part for part in reversed(target.split("/")) if part not in ("", "."))
    return os.path.join(root, *resolved)
