"""Run one command with a limit on its time and on its output."""

from __future__ import annotations

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


def run_bounded(argv: tuple[str, ...], seconds: float, limit: int) -> Ran:
    """Run `argv` without a shell and keep at most `limit` bytes per stream.

    A command that prints more is killed and returned as truncated. Raises MissingTool, PermissionError, and
    TimeoutError when it did not end in time; a child that cannot be killed is left behind, not waited for.
    """
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, cwd="/"
        )
    except FileNotFoundError as error:
        raise MissingTool(argv[0]) from error
    deadline = time.monotonic() + seconds
    try:
        streams, truncated = _drain(child, deadline, limit)
        if truncated:
            child.kill()
        status = child.wait(timeout=max(deadline - time.monotonic(), REAP_SECONDS))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise TimeoutError(f"{argv[0]} did not end within {seconds:g} s") from error
    finally:
        _abandon(child)
    stdout, stderr = (bytes(stream).decode("utf-8", "replace") for stream in streams)
    return Ran(exit_status=status, stdout=stdout, stderr=stderr, truncated=truncated)


def _drain(child: subprocess.Popen[bytes], deadline: float, limit: int) -> tuple[list[bytearray], bool]:
    pipes: list[IO[bytes]] = [pipe for pipe in (child.stdout, child.stderr) if pipe is not None]
    streams = [bytearray() for _ in pipes]
    with selectors.DefaultSelector() as selector:
        for pipe, stream in zip(pipes, streams, strict=True):
            selector.register(pipe, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                room = limit - len(key.data)
                key.data.extend(chunk[:room])
                if len(chunk) > room:
                    return streams, True
    return streams, False


def _abandon(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    if child.poll() is None:
        child.kill()
        try:
            child.wait(timeout=REAP_SECONDS)
        except subprocess.TimeoutExpired:
            child.returncode = -9  # it sits in the kernel; nobody waits for it, and Popen must not warn about it
