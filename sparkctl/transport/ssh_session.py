"""A command over an asyncssh connection: bounded in time and bytes, and a result only when it is whole."""

import asyncio
import shlex

import asyncssh

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.faults import timed_out
from sparkctl.transport.intake import Intake
from sparkctl.transport.seam import Command, Ended, TransportError
from sparkctl.transport.ssh_client import Visitor, settle

# The window is what a node may send before we have read it, and so what a flood can make us hold beyond the limits.
_WINDOW = 64 * 1024
_PACKET = 32 * 1024
_CHUNK = 32 * 1024


class AsyncsshSession:
    """A connection to a node. `warnings` are of host keys that were accepted on first sight, on the way or there."""

    def __init__(self, visitor: Visitor, waited_ms: int, warnings: list[str]) -> None:
        self._visitor = visitor
        self._waited_ms = waited_ms
        self.warnings = [*warnings, *visitor.warnings]

    @property
    def host_key(self) -> str | None:
        """Fingerprint of the node's host key; with a certificate, of the key that it certifies."""
        return self._visitor.host_key

    @property
    def stages_ms(self) -> dict[Stage, int]:
        """Milliseconds per stage; waiting for jump hosts counts as connecting."""
        stages = dict(self._visitor.clock.stages_ms)
        stages[Stage.CONNECT] = stages.get(Stage.CONNECT, 0) + self._waited_ms
        return stages

    async def execute(self, command: Command, seconds: float) -> Ended:
        """Run one command to its end; raises TransportError at stage `run`."""
        run = _Run(command, self._visitor)
        try:
            async with asyncio.timeout(seconds):
                await self._start(run, command)
                await run.write(command.stdin)
                return await run.ended
        except TimeoutError:
            raise timed_out(seconds) from None
        finally:
            run.drop()

    async def close(self) -> None:
        """Drop the connection now; those to jump hosts stay for the other nodes."""
        self._visitor.abort()
        await settle()

    async def _start(self, run: "_Run", command: Command) -> None:
        """Ask for the command: no environment, no terminal, no forwarding of any kind."""
        try:
            await self._visitor.connection.create_session(
                lambda: run,
                shlex.join(command.argv),
                subsystem=None,
                env=None,
                send_env=None,
                request_pty=False,
                x11_forwarding=False,
                encoding=None,
                window=_WINDOW,
                max_pktsize=_PACKET,
            )
        except asyncssh.ChannelOpenError as error:
            if not self._visitor.is_open:
                raise self._visitor.lost_in_run(0) from None
            raise TransportError(
                Stage.RUN, Cause.EXEC_REFUSED, f"the node opened no session for the command: {printable(error.reason)}"
            ) from None
        except (asyncssh.Error, OSError):
            raise self._visitor.lost_in_run(0) from None


class _Run(asyncssh.SSHClientSession[bytes]):
    """Gathers one command's output and end. `ended` resolves once, to an Ended or a TransportError."""

    def __init__(self, command: Command, visitor: Visitor) -> None:
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._intake = Intake(command)
        self._visitor = visitor
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._eof = False
        self._exit_status: int | None = None
        self._signal: str | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        try:
            self._intake.add(data, is_stderr=datatype is not None)
        except TransportError as error:
            self._fail(error)
            self.drop()

    def eof_received(self) -> bool:
        self._eof = True
        return True

    def exit_status_received(self, status: int) -> None:
        self._exit_status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:  # noqa: ARG002
        self._signal = printable(signal)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        # asyncssh tells a channel of a lost connection before it tells the client: look one turn later which it was.
        asyncio.get_running_loop().call_soon(self._conclude, exc)

    def drop(self) -> None:
        """Close the channel without waiting, and take nothing more from it."""
        if self._channel is not None:
            self._channel.abort()
        if not self.ended.done():
            self.ended.cancel()
        elif not self.ended.cancelled():
            self.ended.exception()

    async def write(self, data: bytes) -> None:
        """Send standard input as fast as the node takes it; a node that stops reading early is no failure."""
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            await self._writable.wait()
            if self.ended.done() or self._channel is None or self._channel.is_closing():
                return
            self._channel.write(bytes(view[start : start + _CHUNK]))
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write_eof()

    def _conclude(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        whole = self._eof or (exc is None and not self._visitor.lost)
        if not whole or (self._exit_status is None and self._signal is None):
            self._fail(self._visitor.lost_in_run(len(self._intake.stdout)))
            return
        self.ended.set_result(Ended(self._exit_status, self._signal, self._intake.stdout, self._intake.stderr))

    def _fail(self, error: TransportError) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
