"""Run one command with a limit on its time and on its output."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from dataclasses import dataclass
from typing import IO

from diag.nodekit.problems import MissingTool

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}
REAP_SECONDS = 0.2  # how long a killed child may take to go before it is left behind (it may sit in the kernel)
CHUNK = 65536


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended; a negative exit status is the number of the signal that killed it."""

    exit_status: int
    stdout: str
    stderr: str
    truncated: bool


@dataclass(frozen=True)
class Gathered:
    """What a command printed, as far as it was kept: `dropped` bytes before it, or what came after it where `cut`.

    `exit_status` is None where the command was not let come to its end.
    """

    exit_status: int | None
    stdout: bytes
    stderr: bytes
    dropped: int = 0
    cut: bool = False
    timed_out: bool = False


def run_bounded(argv: tuple[str, ...], seconds: float, limit: int) -> Ran:
    """Run `argv` without a shell and keep at most `limit` bytes per stream.

    A command that prints more is killed and returned as truncated. Raises MissingTool, PermissionError, and
    TimeoutError when it did not end in time; a child that cannot be killed is left behind, not waited for.
    """
    child, streams = _start(argv), _Streams(limit, newest=False)
    deadline = time.monotonic() + seconds
    try:
        _fill(streams, child, deadline)
        if streams.cut:
            _kill(child)
        status = child.wait(timeout=max(deadline - time.monotonic(), REAP_SECONDS))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise TimeoutError(f"{argv[0]} did not end within {seconds:g} s") from error
    finally:
        _abandon(child)
    stdout, stderr = (bytes(stream).decode("utf-8", "replace") for stream in streams.kept)
    return Ran(exit_status=status, stdout=stdout, stderr=stderr, truncated=streams.cut)


def gather(argv: tuple[str, ...], seconds: float, limit: int, *, newest: bool = False) -> Gathered:
    """Run `argv` without a shell and keep the first `limit` bytes per stream, or the last ones (`newest`).

    What a command printed before its time was over is kept as well. Raises MissingTool, PermissionError.
    """
    child = _start(argv)
    deadline = time.monotonic() + seconds
    streams, timed_out, status = _Streams(limit, newest=newest), False, None
    try:
        _fill(streams, child, deadline)
        if not streams.cut:
            status = child.wait(timeout=max(deadline - time.monotonic(), REAP_SECONDS))
    except (TimeoutError, subprocess.TimeoutExpired):
        timed_out = True
    finally:
        _abandon(child)
    stdout, stderr = streams.newest()
    return Gathered(status, stdout, stderr, streams.dropped, streams.cut, timed_out)


def _start(argv: tuple[str, ...]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, cwd="/"
        )
    except FileNotFoundError as error:
        raise MissingTool(argv[0]) from error


class _Streams:
    """Standard output and error as far as they are kept."""

    def __init__(self, limit: int, *, newest: bool) -> None:
        self.kept = [bytearray(), bytearray()]
        self.dropped, self.cut = 0, False
        self._limit, self._newest = limit, newest

    def add(self, number: int, chunk: bytes) -> None:
        """Keep what has arrived, within the limit; past it the stream is cut, or loses its oldest."""
        kept = self.kept[number]
        if not self._newest:
            room = self._limit - len(kept)
            kept += chunk[:room]
            self.cut = self.cut or len(chunk) > room
            return
        kept += chunk
        if len(kept) > 2 * self._limit:  # rarely, since it moves all that is kept
            self._forget(number)

    def newest(self) -> list[bytes]:
        """Both streams within their limit."""
        for number in range(len(self.kept)):
            self._forget(number)
        return [bytes(kept) for kept in self.kept]

    def _forget(self, number: int) -> None:
        over = max(len(self.kept[number]) - self._limit, 0)
        self.dropped += over if number == 0 else 0
        del self.kept[number][:over]


def _fill(streams: _Streams, child: subprocess.Popen[bytes], deadline: float) -> None:
    """Read until both streams end or one is cut; raises TimeoutError."""
    pipes: list[IO[bytes]] = [pipe for pipe in (child.stdout, child.stderr) if pipe is not None]
    with selectors.DefaultSelector() as selector:
        for number, pipe in enumerate(pipes):
            selector.register(pipe, selectors.EVENT_READ, number)
        while selector.get_map() and not streams.cut:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK)
                if chunk:
                    streams.add(key.data, chunk)
                else:
                    selector.unregister(key.fileobj)


def _abandon(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    if child.poll() is None:
        _kill(child)
        try:
            child.wait(timeout=REAP_SECONDS)
        except subprocess.TimeoutExpired:
            child.returncode = -9  # it sits in the kernel; nobody waits for it, and Popen must not warn about it


def _kill(child: subprocess.Popen[bytes]) -> None:
    # sudo is not ours to kill: it ends with its command, and that one when it writes into the closed pipe.
    with contextlib.suppress(PermissionError):
        child.kill()
