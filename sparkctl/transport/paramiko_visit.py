"""One connection of paramiko: the stream under it, the judgement of its host key, and what its failures mean."""

import asyncio
import contextlib
import socket
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import cast

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST
from paramiko.ssh_exception import IncompatiblePeer

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.dial import dial
from sparkctl.transport.faults import denied, fault, from_channel, lost, not_ssh, through_jump
from sparkctl.transport.greeting import Greeting
from sparkctl.transport.hostkeys import HostKeys, Pins, PresentedKey, judge
from sparkctl.transport.paramiko_keys import Agent, ParamikoKeys
from sparkctl.transport.route import Endpoint
from sparkctl.transport.seam import Deadlines, TransportError
from sparkctl.transport.stages import StageClock

# paramiko's own timers are put out of the way: the clock of the visit rules, and ends the threads by the socket.
_LATER = 24 * 3600.0


class Stream:
    """The bytes under a connection, a socket or a channel of a jump host; shows the greeting what arrives.

    `abort` ends every connection on the socket at the bottom, and never blocks.
    """

    def __init__(self, inner: socket.socket | paramiko.Channel, bottom: socket.socket, greeting: Greeting) -> None:
        self._inner = inner
        self.bottom = bottom
        self._greeting = greeting

    def recv(self, size: int) -> bytes:
        """Read."""
        data = self._inner.recv(size)
        self._greeting.feed(data)
        return data

    def send(self, data: bytes) -> int:
        """Write."""
        return self._inner.send(data)

    def settimeout(self, seconds: float | None) -> None:
        """Set the time that reading and writing may block, in seconds."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """Close; called by the thread of the connection when it ends. The jump host below may have gone before."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._inner.close()

    def abort(self) -> None:
        """Shut the socket down; whoever reads or writes on it is woken."""
        with contextlib.suppress(OSError):
            self.bottom.shutdown(socket.SHUT_RDWR)


class SignalTransport(paramiko.Transport):
    """paramiko drops `exit-signal` messages; this keeps them, by channel."""

    signals: "weakref.WeakKeyDictionary[paramiko.Channel, str]" = weakref.WeakKeyDictionary()


def _keep_signal(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Look for an `exit-signal`, then let paramiko handle the message as ever."""
    start = message.packet.tell()
    if message.get_text() == "exit-signal":
        message.get_boolean()
        SignalTransport.signals[channel] = printable(message.get_text())
    message.packet.seek(start)
    _handle_request(channel, message)


class Visit:
    """Follows one connection from dialling to the end of authentication."""

    def __init__(self, endpoint: Endpoint, pins: Pins, offer: Offer, deadlines: Deadlines) -> None:
        self.endpoint = endpoint
        self.pins = pins
        self.offer = offer
        self.clock = StageClock(deadlines)
        self.warnings: list[str] = []
        self.host_key: str | None = None
        self.greeting = Greeting(lambda: self._enter(Stage.HOST_KEY))
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None
        self._transport: SignalTransport | None = None
        self._offered = 0
        self._stage = Stage.CONNECT

    @property
    def stream(self) -> Stream:
        """The stream, once it is dialled."""
        if self._stream is None:
            raise RuntimeError("not dialled")
        return self._stream

    @property
    def transport(self) -> SignalTransport:
        """paramiko's connection, once it is authenticated."""
        if self._transport is None:
            raise RuntimeError("not connected")
        return self._transport

    def abort(self) -> None:
        """Drop the connection from any state, without blocking."""
        if self._stream is not None:
            self._stream.abort()
            if self._transport is None:
                self._stream.close()

    async def dial(self, via: "Visit | None", pool: Executor) -> None:
        """Connect the stream, directly or through a jump host; raises TransportError."""
        if via is None:
            sock = await dial(self.endpoint.host, self.endpoint.port, self._deadlines.connect_s)
            self._stream = Stream(sock, sock, self.greeting)
            return
        try:
            channel = await self._loop.run_in_executor(pool, self._forward, via)
        except asyncio.CancelledError:
            via.stream.abort()
            raise
        self._stream = Stream(channel, via.stream.bottom, self.greeting)

    def _forward(self, via: "Visit") -> paramiko.Channel:
        target = (self.endpoint.host, self.endpoint.port)
        try:
            return via.transport.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=_LATER)
        except paramiko.ChannelException as error:
            raise from_channel(error.code, error.text, via.endpoint.label, *target) from None
        except (paramiko.SSHException, OSError, EOFError):
            raise through_jump(lost(Stage.CONNECT, ""), via.endpoint.label) from None

    def authenticate(self, keys: ParamikoKeys, host_keys: HostKeys) -> None:
        """Do all that blocks, in a thread; raises TransportError. Ends when the stream is aborted."""
        try:
            self._negotiate()
            self._verify(host_keys)
            self._enter(Stage.AUTHENTICATE)
            self._log_in(keys)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._explain(error) from None

    def _negotiate(self) -> None:
        transport = SignalTransport(cast("socket.socket", self.stream), default_window_size=2**16)
        self._transport = transport
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = _LATER
        options = transport.get_security_options()
        pinned = [name for pin in self.pins.trusted for name in pin.signature_algorithms]
        options.key_types = tuple(sorted(options.key_types, key=lambda name: name not in pinned))
        transport.start_client()

    def _verify(self, host_keys: HostKeys) -> None:
        endpoint = self.endpoint
        key = PresentedKey.of(self.transport.get_remote_server_key().asbytes())
        self.host_key = key.fingerprint
        refusal = judge(self.pins, key)
        if refusal is None:
            return
        if refusal.cause is Cause.HOST_KEY_UNKNOWN and self.pins.authorities:
            raise TransportError(
                refusal.stage,
                refusal.cause,
                f"{self.pins.name} is trusted through a host CA, and paramiko cannot verify host certificates",
                hint="use `transport: asyncssh` for this node, or pin its key",
            )
        if refusal.cause is not Cause.HOST_KEY_UNKNOWN or not endpoint.accept_new:
            raise refusal
        warning = host_keys.accept(endpoint.key_host, endpoint.key_port, endpoint.known_hosts_files, key)
        self.warnings.extend([warning] if warning else [])

    def _log_in(self, keys: ParamikoKeys) -> None:
        """Offer one key after the other; nothing at all only where there is no key, since paramiko asks for the
        service anew with each offer, which some servers take for a fault.
        """
        user = self.endpoint.user
        for key in self._credentials(keys):
            self._offered += 1
            with contextlib.suppress(paramiko.AuthenticationException):
                if not self.transport.auth_publickey(user, key):
                    return
            if not self.transport.is_active():
                break
        if self._offered == 0:
            with contextlib.suppress(paramiko.BadAuthenticationType):
                if not self.transport.auth_none(user):
                    return
        raise denied(user, self._where(), self._offered, self.offer.remarks)

    def _credentials(self, keys: ParamikoKeys) -> Iterator[paramiko.PKey]:
        yield from keys.keys(self.offer)
        if self.endpoint.agent_path is not None and self.offer.agent_identities != []:
            agent = Agent(self.endpoint.agent_path, self._deadlines.authenticate_s, self.offer.remarks)
            try:
                yield from agent.allowed(self.offer)
            finally:
                agent.close()

    def _enter(self, stage: Stage) -> None:
        """Move the clock, which belongs to the event loop; our own note of the stage is never behind."""
        self._stage = stage
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.clock.enter, stage)

    def _where(self) -> str:
        return f"{self.endpoint.host} port {self.endpoint.port}"

    def _explain(self, error: Exception) -> TransportError:
        """What a failure to open the connection means."""
        stage = self._stage
        if self.greeting.is_foreign:
            return not_ssh(self.greeting)
        if isinstance(error, IncompatiblePeer):
            return fault(
                Stage.CONNECT,
                Cause.NO_COMMON_ALGORITHM,
                f"no key exchange with {self._where()}: {printable(str(error))}",
                "compare the algorithms of the node's sshd with those of paramiko",
            )
        if not self.greeting.is_ssh or not isinstance(error, paramiko.SSHException):
            return lost(stage, "")
        if isinstance(error, paramiko.AuthenticationException) or str(error) in _ENDED:
            return lost(stage, "")
        return fault(stage, Cause.PROTOCOL_ERROR, f"{self._where()} broke the SSH protocol: {printable(str(error))}")


# What paramiko says when the far side simply went away.
_ENDED = ("Negotiation failed.", "No existing session", "Channel closed.")
_handle_request = paramiko.Channel._handle_request  # type: ignore[attr-defined]  # noqa: SLF001  # no public hook
SignalTransport._channel_handler_table = {  # type: ignore[attr-defined]  # noqa: SLF001  # no public hook
    **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]  # noqa: SLF001
    MSG_CHANNEL_REQUEST: _keep_signal,
}
