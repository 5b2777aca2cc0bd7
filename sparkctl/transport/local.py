"""This machine as the node: a process without a shell, in a session of its own."""

import asyncio
import contextlib
import os
import signal
from typing import cast

from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.faults import timed_out
from sparkctl.transport.intake import Intake
from sparkctl.transport.seam import Command, Deadlines, Ended, TransportError

_STDERR = 2
# A process that is told to end needs that time to end its own children, which may lead groups of their own.
# A killed one is gone at once, unless the kernel cannot let it go (state D).
_GRACE_S = 1.0


class LocalTransport:
    """Runs commands here; there is no connection, no login and no host key."""

    async def connect(self, node: Node, deadlines: Deadlines) -> "LocalSession":  # noqa: ARG002
        """A session; it cannot fail."""
        return LocalSession()

    async def close(self) -> None:
        """There is nothing to let go of."""


class LocalSession:
    """Runs any number of commands, one process group each."""

    @property
    def host_key(self) -> None:
        """There is none."""
        return

    @property
    def stages_ms(self) -> dict[Stage, int]:
        """Connecting takes no time."""
        return {Stage.CONNECT: 0}

    @property
    def warnings(self) -> list[str]:
        """There are none."""
        return []

    async def execute(self, command: Command, seconds: float) -> Ended:
        """Run one command to its end; on the deadline it is told to end, then its whole group is killed."""
        loop = asyncio.get_running_loop()
        process = _Process(command)
        try:
            async with asyncio.timeout(seconds):
                await loop.subprocess_exec(lambda: process, *command.argv, start_new_session=True)
                return await process.ended
        except TimeoutError:
            raise timed_out(seconds) from None
        except (OSError, ValueError) as error:
            raise TransportError(
                Stage.RUN, Cause.EXEC_REFUSED, f"{command.argv[0]} cannot be run here: {printable(str(error))}"
            ) from None
        finally:
            await process.drop()

    async def close(self) -> None:
        """Every process ended with its command."""


class _Process(asyncio.SubprocessProtocol):
    """Feeds standard input and gathers output; `ended` resolves once, to an Ended or a TransportError."""

    def __init__(self, command: Command) -> None:
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._stdin = command.stdin
        self._intake = Intake(command)
        self._exited = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        stdin.write(self._stdin)
        stdin.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        try:
            self._intake.add(data, is_stderr=fd == _STDERR)
        except TransportError as error:
            self._kill()
            if not self.ended.done():
                self.ended.set_exception(error)

    def process_exited(self) -> None:
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process has ended and every pipe is closed."""
        code = self._transport.get_returncode() if self._transport else None
        if self.ended.done() or code is None:
            return
        name = None if code >= 0 else _signal_name(-code)
        self.ended.set_result(Ended(code if code >= 0 else None, name, self._intake.stdout, self._intake.stderr))

    async def drop(self) -> None:
        """End the process, kill what is left of its group, close the pipes; never wait for one that cannot die."""
        if self._transport is None:
            return
        if not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                self._transport.terminate()
            await self._exit()
        self._kill()
        await self._exit()
        self._transport.close()
        for _ in range(3):
            await asyncio.sleep(0)

    async def _exit(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await self._exited.wait()

    def _kill(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)
