"""Run a program of somebody else's: exact words, a bare environment, a log, and nothing believed of how it ended."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

DAY_S = 86_400.0
_TAIL = 4096
_NO_ROOM = 65_536  # bytes: nothing that is mirrored goes on with less
_HANDED_ON = (
    "PATH", "HOME", "GNUPGHOME", "TMPDIR", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",
    "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
_END_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""Of util-linux: a tool ends also when we are killed, so that no second one works beside it."""

_SBIN = ":/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the last that it said."""

    status: int
    tail: str

    @property
    def last_line(self) -> str:
        """The last line that says something, printable."""
        lines = [line for line in re.split(r"[\r\n]+", self.tail) if line.strip()]
        return printable(lines[-1].strip(), 300) if lines else "it said nothing"


def run(
    argv: Sequence[str],
    log: Path,
    *,
    package: str,
    seconds: float = DAY_S,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    largest: int | None = None,
) -> Ran:
    """Run a program to its end, all that it says going to the end of `log`; it ends when we do.

    `largest` is how many bytes a file may have that it writes, the log among them; the kernel ends it at more.
    Raises UsageError when it is not here, with the package that brings it, when it does not end in time, and when it
    fails and the disk is full, where it often cannot say so.
    """
    fixed = _environment()
    if shutil.which(argv[0], path=fixed["PATH"]) is None:
        raise UsageError(f"there is no {argv[0]} here", hint=f"apt-get install {package}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        start = said.tell()
        child = subprocess.Popen(
            [*_END_WITH_US, *_bounded(largest), *argv], stdin=subprocess.DEVNULL, stdout=said,
            stderr=subprocess.STDOUT, cwd=cwd, env=fixed | dict(environment or {}), start_new_session=True,
        )  # fmt: skip
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise UsageError(
                f"{argv[0]} did not end within {seconds:g} s", hint=f"{log} has what it said; run the same again"
            ) from None
        finally:
            _end(child)
    if status != 0 and _full(log.parent):
        raise UsageError(f"{log.parent} is full", hint="make room and run the same command again")
    return Ran(status, _tail(log, start))


def _environment() -> dict[str, str]:
    """What every tool finds in its environment, and nothing else of ours."""
    fixed = {name: os.environ[name] for name in _HANDED_ON if name in os.environ} | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
    fixed.setdefault("HOME", _home())
    fixed["PATH"] = fixed.get("PATH", "/usr/bin:/bin") + _SBIN
    return fixed


def _home() -> str:
    """What a service of systemd, which has no HOME, would have there; debmirror does not run without."""
    try:
        return str(Path.home())
    except RuntimeError:  # nobody of that number in /etc/passwd
        return "/"


def _full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    return blocks * disk.f_frsize < _NO_ROOM or (disk.f_files > 0 and disk.f_ffree == 0)


def _bounded(largest: int | None) -> tuple[str, ...]:
    return () if largest is None else ("prlimit", f"--fsize={largest}", "--")


def output(argv: Sequence[str], *, package: str, limit: int, seconds: float = 60.0) -> tuple[int, bytes]:
    """The exit status and at most `limit` bytes of what a program prints; raises UsageError as `run` does."""
    try:
        ran = subprocess.run(
            list(argv), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
            env=_environment(),
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError(f"there is no {argv[0]} here", hint=f"apt-get install {package}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{argv[0]} did not end within {seconds:g} s") from None
    return ran.returncode, (ran.stdout or ran.stderr)[:limit]


def version(argv: Sequence[str], *, package: str) -> str:
    """What a tool calls itself, such as `debmirror 2.37`; raises UsageError where it is not here."""
    match = re.search(rb"[0-9]+\.[0-9][0-9A-Za-z.+~:-]{0,40}", output(argv, package=package, limit=10_000)[1])
    return f"{argv[0]} {match.group().decode('ascii') if match else 'of a version it does not tell'}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started, also when we are interrupted while it runs."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - _TAIL))
        return file.read(_TAIL).decode("utf-8", "replace")
