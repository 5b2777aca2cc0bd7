"""Processes that the lab's server starts: few at a time, each in a session of its own, none left behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from sparkctl.lab.wrappers import ACTS, MARK, NODE_MARK

CHILD_SECONDS = 120.0


class Children:
    """At most `limit` children run at the same time; who comes later waits."""

    def __init__(self, limit: int) -> None:
        self._room = asyncio.Semaphore(limit)

    @contextlib.asynccontextmanager
    async def shell(
        self, shell: str, command: str, environment: Mapping[str, str]
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run `SHELL -c COMMAND` as sshd does; the child and all it started are killed when the block is left."""
        async with self._room:
            child = await _start(shell, command, environment)
            try:
                async with asyncio.timeout(CHILD_SECONDS):
                    yield child
            finally:
                await _end(child)


def end_offspring(directory: Path, node: str | None = None) -> None:
    """End what a lab started and left running: units of its nodes, or of one node, and what a killed server left.

    All of it carries the folder of its lab in its environment, and units the folder of their node.
    """
    mark = f"{MARK}={directory}" if node is None else f"{NODE_MARK}={directory / ACTS / node}"
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)


async def _start(shell: str, command: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start the child to its end even when the visitor has gone by then: half started, its offspring would stay."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            shell,
            "-c",
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _end(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()
    if child.stdin is not None:
        child.stdin.close()
