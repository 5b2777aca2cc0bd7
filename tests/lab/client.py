"""A plain SSH client that visits a lab's nodes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncssh

from sparkctl.lab.state import Lab

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What came back; `status` is None when the channel closed without one, `signal` when it names one.

    `connected` says whether the connection outlived the command.
    """

    stdout: bytes
    stderr: bytes
    status: int | None
    signal: str | None
    connected: bool


def visit(lab: Lab, name: str, command: str, stdin: bytes = b"", *, key: Path | None = None) -> Answer:
    """Run a command on a node with its pinned host key and the lab's key (or another)."""

    async def work(connection: asyncssh.SSHClientConnection) -> Answer:
        process = await connection.create_process(command, encoding=None)
        with contextlib.suppress(BrokenPipeError):  # the far side may be done before it was told anything
            process.stdin.write(stdin)
            process.stdin.write_eof()
        stdout, stderr = await process.communicate()
        signal = process.exit_signal[0] if process.exit_signal else None
        status = None if signal else process.exit_status
        return Answer(_bytes(stdout), _bytes(stderr), status, signal, not connection.is_closed())

    return connected(lab, name, work, key=key)


def connected(
    lab: Lab, name: str, work: Callable[[asyncssh.SSHClientConnection], Awaitable[Result]], *, key: Path | None = None
) -> Result:
    """Connect to a node and do some work there; everything ends within 20 s."""

    async def go() -> Result:
        connection = await asyncssh.connect(
            lab.node(name).address, lab.port or 0, username="sim", config=None, agent_path=None,
            known_hosts=str(lab.known_hosts_file), client_keys=[str(key or lab.identity_file)],
        )  # fmt: skip
        try:
            return await work(connection)
        finally:
            connection.abort()

    return asyncio.run(asyncio.wait_for(go(), 20))


def _bytes(output: object) -> bytes:
    return output if isinstance(output, bytes) else str(output or "").encode()
