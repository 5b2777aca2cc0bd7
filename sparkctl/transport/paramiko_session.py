"""A command over a paramiko connection: the same limits, and a result only when it is whole."""

import asyncio
import contextlib
import shlex
import threading
from concurrent.futures import Executor

import paramiko

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.faults import timed_out
from sparkctl.transport.intake import Intake
from sparkctl.transport.paramiko_visit import SignalTransport, Visit
from sparkctl.transport.seam import Command, Ended, TransportError

_WINDOW = 64 * 1024
_PACKET = 32 * 1024
_LATER = 24 * 3600.0
# What reading and writing raise when the connection has ended; reading writes too, to open the window again.
_GONE = (OSError, EOFError, paramiko.SSHException)


class ParamikoSession:
    """A connection to a node. `warnings` are of host keys that were accepted on first sight, on the way or there.

    A command that fails takes the connection down, but not those to jump hosts.
    """

    def __init__(self, visit: Visit, waited_ms: int, warnings: list[str], pool: Executor) -> None:
        self._visit = visit
        self._waited_ms = waited_ms
        self._pool = pool
        self.warnings = [*warnings, *visit.warnings]

    @property
    def host_key(self) -> str | None:
        """Fingerprint of the node's host key."""
        return self._visit.host_key

    @property
    def stages_ms(self) -> dict[Stage, int]:
        """Milliseconds per stage; waiting for jump hosts counts as connecting."""
        stages = dict(self._visit.clock.stages_ms)
        stages[Stage.CONNECT] = stages.get(Stage.CONNECT, 0) + self._waited_ms
        return stages

    async def execute(self, command: Command, seconds: float) -> Ended:
        """Run one command to its end; raises TransportError at stage `run`."""
        run = _Run(self._visit, command)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, run.work)
        except TimeoutError:
            self._visit.abort()
            raise timed_out(seconds) from None
        except BaseException:
            self._visit.abort()
            raise

    async def close(self) -> None:
        """Drop the connection now; its thread ends by itself."""
        self._visit.abort()


class _Run:
    """One command; the calling thread reads standard output, two helpers do standard error and input."""

    def __init__(self, visit: Visit, command: Command) -> None:
        self._visit = visit
        self._command = command
        self._intake = Intake(command)
        self._refused: TransportError | None = None

    def work(self) -> Ended:
        """Run to the end; raises TransportError. Ends when the stream is aborted."""
        channel = self._start()
        helpers = [
            threading.Thread(target=work, args=(channel,), daemon=True) for work in (self._write, self._read_stderr)
        ]
        for helper in helpers:
            helper.start()
        self._read(channel, is_stderr=False)
        helpers[1].join()
        channel.status_event.wait()
        return self._conclude(channel)

    def _start(self) -> paramiko.Channel:
        """Ask for the command: no environment, no terminal, no forwarding of any kind."""
        transport = self._visit.transport
        try:
            channel = transport.open_session(window_size=_WINDOW, max_packet_size=_PACKET, timeout=_LATER)
            channel.exec_command(shlex.join(self._command.argv))
        except _GONE as error:
            if isinstance(error, EOFError) or not transport.is_active():
                raise self._visit.lost_in_run(0) from None
            reason = printable(str(error))
            raise TransportError(
                Stage.RUN, Cause.EXEC_REFUSED, f"the node opened no session for the command: {reason}"
            ) from None
        return channel

    def _read_stderr(self, channel: paramiko.Channel) -> None:
        self._read(channel, is_stderr=True)

    def _read(self, channel: paramiko.Channel, *, is_stderr: bool) -> None:
        """Read one stream to its end. Past its limit the connection is dropped, which ends the other one too."""
        receive = channel.recv_stderr if is_stderr else channel.recv
        with contextlib.suppress(*_GONE):
            while data := receive(_PACKET):
                try:
                    self._intake.add(data, is_stderr=is_stderr)
                except TransportError as error:
                    self._refused = self._refused or error
                    self._visit.abort()
                    return

    def _write(self, channel: paramiko.Channel) -> None:
        """Send standard input as fast as the node takes it; a node that stops reading early is no failure."""
        with contextlib.suppress(*_GONE):
            channel.sendall(self._command.stdin)
            channel.shutdown_write()

    def _conclude(self, channel: paramiko.Channel) -> Ended:
        if self._refused is not None:
            raise self._refused
        signal = SignalTransport.signals.get(channel)
        whole = channel.eof_received or self._visit.transport.is_active()
        if not whole or (channel.exit_status < 0 and signal is None):
            raise self._visit.lost_in_run(len(self._intake.stdout))
        status = channel.exit_status if signal is None else None
        return Ended(status, signal, self._intake.stdout, self._intake.stderr)
