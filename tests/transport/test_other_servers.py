"""Servers that are not OpenSSH: what counts as the end of a command, and what does not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
from tests.transport.wire import command, node, run, settings

Handler = Callable[[Any], Awaitable[None]] | None


class Everybody(asyncssh.SSHServer):
    """Lets everybody in without a key."""

    connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn

    def begin_auth(self, username: str) -> bool:
        return False


class Reluctant(Everybody):
    """Never answers a request for a session."""

    async def session_requested(self) -> Any:
        await asyncio.sleep(60)


@contextlib.asynccontextmanager
async def serving(handler: Handler, server: type[Everybody], **more: Any) -> AsyncIterator[tuple[int, str]]:
    """A server that hands each command to `handler`; its port and the line that pins it."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    options: dict[str, Any] = {"server_host_keys": [key], "process_factory": handler, "encoding": None, **more}
    served: list[Everybody] = []

    def serve() -> Everybody:
        served.append(server())
        return served[-1]

    acceptor = await asyncssh.listen("127.0.0.1", 0, server_factory=serve, **options)
    try:
        port = acceptor.get_port()
        yield port, f"[127.0.0.1]:{port} {key.export_public_key().decode()}"
    finally:
        acceptor.close()
        await acceptor.wait_closed()
        for one in served:
            if one.connection is not None:
                one.connection.abort()
        for _ in range(12):
            await asyncio.sleep(0)


async def outcome(
    stack: str, folder: Path, handler: Handler, *, server: type[Everybody] = Everybody, seconds: float = 10
) -> Any:
    async with serving(handler, server) as (port, pin):
        options = settings(folder, pin)
        try:
            return await run(stack, options, node(host="127.0.0.1", port=port), command("x"), seconds)
        except TransportError as error:
            return error


async def test_an_exit_status_without_end_of_file_is_a_result(stack: str, folder: Path) -> None:
    async def handler(process: Any) -> None:
        process.stdout.write(b"whole")
        process.exit(3)

    ended = await outcome(stack, folder, handler)
    assert (ended.exit_status, ended.stdout) == (3, b"whole")


async def test_a_connection_closed_politely_without_exit_status_is_no_result(stack: str, folder: Path) -> None:
    async def handler(process: Any) -> None:
        process.stdout.write(b"whole")
        process.stdout.write_eof()
        await process.stdout.drain()
        process.channel.get_connection().close()

    error = await outcome(stack, folder, handler)
    assert (error.stage, error.cause) == (Stage.RUN, Cause.CONNECTION_LOST)


async def test_a_channel_closed_without_exit_status_is_no_result(stack: str, folder: Path) -> None:
    async def handler(process: Any) -> None:
        process.stdout.write(b"whole")
        process.stdout.write_eof()
        process.close()

    error = await outcome(stack, folder, handler)
    assert (error.stage, error.cause) == (Stage.RUN, Cause.CONNECTION_LOST)


async def test_a_signal_name_cannot_touch_the_screen(stack: str, folder: Path) -> None:
    async def handler(process: Any) -> None:
        process.exit_with_signal("\x1b[31mKILL")

    ended = await outcome(stack, folder, handler)
    assert ended.signal == r"\u001b[31mKILL"


async def test_words_of_the_far_side_cannot_touch_the_screen(stack: str, folder: Path) -> None:
    async def handler(process: Any) -> None:
        process.channel.get_connection().disconnect(2, "\x1b[2J\u202egone", "")

    error = await outcome(stack, folder, handler)
    assert (error.stage, error.cause) == (Stage.RUN, Cause.CONNECTION_LOST)
    assert error.message.isprintable()


async def test_a_session_that_is_never_opened_ends_at_the_deadline(stack: str, folder: Path) -> None:
    error = await outcome(stack, folder, None, server=Reluctant, seconds=0.4)
    assert (error.stage, error.cause) == (Stage.RUN, Cause.TIMEOUT)
