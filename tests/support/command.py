"""Run sparkctl as an operator does: a process with its own home, its standard streams and an exit code."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Self

from tests.support import warm

_PROJECT = Path(__file__).parents[2]
_TEMPORARY = tempfile.gettempdir()  # as it is before a test names another one


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment in which `python3` is the Python that runs the tests."""
    tools = home / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    link = tools / "python3"
    if not link.exists():
        link.symlink_to(Path(sys.executable).resolve())
    return {"HOME": str(home), "PATH": f"{tools}:{os.environ['PATH']}", "LANG": "C.UTF-8", **(extra or {})}


def sparkctl(
    *arguments: str | Path, home: Path, cwd: Path | None = None, timeout: float = 60, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in a process that need not import sparkctl first; see `warm`."""
    command = [*map(str, arguments)]
    env = {**environment(home, extra), "PYTHONPATH": str(_PROJECT)}
    give_up = time.monotonic() + timeout
    with open(os.devnull, "rb") as nothing, _Pipe() as out, _Pipe() as err:
        streams = (nothing.fileno(), out.write_end, err.write_end)
        running = warm.run(command, env, str(cwd or home), streams, _warm_server())
        texts = [out.text(), err.text()]
        try:
            code = running.wait(timeout)
            said = [text.result(max(give_up - time.monotonic(), 1)) for text in texts]
        except TimeoutError:
            running.kill()
            raise subprocess.TimeoutExpired(["sparkctl", *command], timeout) from None
    return subprocess.CompletedProcess(["sparkctl", *command], code, *said)


_PROGRAM = """#!{python} -IS
import os, sys
sys.path.insert(0, {project!r})
from tests.support import warm
code = warm.run(sys.argv[1:], dict(os.environ), os.getcwd(), (0, 1, 2), {address!r}).wait(600)
sys.exit(code if code >= 0 else 128 - code)
"""


def program(folder: Path) -> Path:
    """Put a `sparkctl` for shells into a folder, which does as `sparkctl` here does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sparkctl"
    path.write_text(_PROGRAM.format(python=sys.executable, project=str(_PROJECT), address=_warm_server()))
    path.chmod(0o755)
    return path


class _Pipe:
    """What a process writes, read while it runs."""

    def __enter__(self) -> Self:
        self._read_end, self.write_end = os.pipe()
        self._reader = ThreadPoolExecutor(1)
        return self

    def text(self) -> "Future[str]":
        """All of it, once the last process that may write has ended."""
        os.close(self.write_end)
        return self._reader.submit(self._read)

    def _read(self) -> str:
        with open(self._read_end, encoding="utf-8") as stream:
            return stream.read()

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown(wait=False)


@cache
def _warm_server() -> str:
    """The address of the process that the commands of this test run are forked from; it ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="warm-", dir=_TEMPORARY))
    address = folder / "socket"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.warm", address],
        cwd=_PROJECT,
        env={**environment(folder), "PYTHONPATH": str(_PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # streams of the kind that the forked processes have
        text=True,
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.readline() == "ready\n"

    def end() -> None:
        server.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return str(address)


def json_lines(ran: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines that a command printed, parsed."""
    return [json.loads(line) for line in ran.stdout.splitlines()]
