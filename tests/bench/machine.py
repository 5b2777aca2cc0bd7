"""The machine of a benchmark: its cores, its name, the versions of what runs on it."""

import fcntl
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cores:
    """Where things run: the client on one core, the server on the others; `client` is -1 where there is only one."""

    client: int
    server: frozenset[int]

    @classmethod
    def shared_out(cls) -> "Cores":
        """The cores that this process may use, shared out."""
        first, *others = sorted(os.sched_getaffinity(0))
        return cls(first, frozenset(others)) if others else cls(-1, frozenset({first}))


@contextmanager
def alone() -> Iterator[None]:
    """Hold the place of the one benchmark that runs here; end in good order when terminated."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with (Path(tempfile.gettempdir()) / f"sparkctl-bench-{os.getuid()}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another benchmark runs; two at once would measure each other") from None
        yield


def describe() -> list[tuple[str, str]]:
    """What a reader needs to know to compare figures: name and value."""
    names = ("asyncssh", "cryptography", "pydantic", "SQLAlchemy")
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("sparkctl", f"{version('sparkctl')}, {revision()}"),
        ("machine", f"{processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("OpenSSH", openssh()),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in names)),
        ("load before", " ".join(f"{load:.1f}" for load in os.getloadavg())),
    ]


def revision() -> str:
    """The commit of the checkout, and whether it was changed since."""
    commit = _said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    changed = _said(["git", "-C", str(ROOT), "status", "--porcelain", "--", "sparkctl", "diag"])
    return (f"commit {commit}" if commit else "no commit") + (" with local changes" if changed else "")


def processor() -> str:
    """The model of the first core."""
    named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    return named[1] if named else platform.machine()


def memory_gib() -> float:
    """Physical memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def openssh() -> str:
    """What `ssh -V` says."""
    return _said(["ssh", "-V"])


def _said(command: list[str]) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    return (ran.stdout or ran.stderr).strip() if ran.returncode == 0 else ""
