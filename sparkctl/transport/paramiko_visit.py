"""One connection of paramiko: the stream under it, the judgement of its host key, and what its failures mean."""

import asyncio
import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import cast

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_REQUEST
from paramiko.ssh_exception import IncompatiblePeer

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.dial import dial
from sparkctl.transport.faults import (
    closed_unopened,
    denied,
    fault,
    from_channel,
    jump_lost,
    lost,
    lost_in_run,
    not_ssh,
)
from sparkctl.transport.greeting import Greeting
from sparkctl.transport.hostkeys import HostKeys, Pins, PresentedKey, judge
from sparkctl.transport.paramiko_keys import Agent, ParamikoKeys
from sparkctl.transport.route import Endpoint
from sparkctl.transport.seam import Deadlines, TransportError
from sparkctl.transport.stages import StageClock

# paramiko's own timers are put out of the way: the clock of the visit rules, and ends the threads by the socket.
_LATER = 24 * 3600.0
# Writing to a channel takes the tenth of a second at most that paramiko waits for its window, but for a key exchange.
_SENDING_S = 1.0
# paramiko believes whatever length a packet claims and reads it into memory; OpenSSH takes and sends 256 KiB at most.
_MOST_PACKET = 2**18
# Likewise what comes before the version. asyncssh takes lines of 8 KiB; no login banner belongs here.
_MOST_GREETING = 2**16
# A jump host's channels end a moment before its connection counts as closed.
_MOMENT_S = 0.2


class Stream:
    """The bytes under a connection, a socket or a channel of a jump host; shows the greeting what arrives.

    `abort` never blocks, and leaves the other channels of a jump host alone.
    """

    def __init__(self, inner: socket.socket | paramiko.Channel, greeting: Greeting) -> None:
        self._inner = inner
        self._greeting = greeting
        self._greeted = 0
        self._sending = threading.Lock()
        if not isinstance(inner, socket.socket):
            SignalTransport.senders[inner] = self._sending

    def recv(self, size: int) -> bytes:
        """Read. Raises SSHException where paramiko would gather more than any packet, or any greeting, may hold."""
        if size > _MOST_PACKET:
            raise paramiko.SSHException(f"it announced a packet of {size} bytes")
        data = self._inner.recv(size)
        if not self._greeting.is_ssh:
            self._greeted += len(data)
            if self._greeted > _MOST_GREETING:
                raise paramiko.SSHException("no SSH version")
        self._greeting.feed(data)
        return data

    def send(self, data: bytes) -> int:
        """Write. A channel closes between two writes: data after its end would make the jump host drop all nodes."""
        with self._sending:
            return self._inner.send(data)

    def settimeout(self, seconds: float | None) -> None:
        """Set the time that reading and writing may block, in seconds."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """Close; called by the thread of the connection when it ends. The jump host below may have gone before."""
        with self._sending, contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._inner.close()

    def give_up_after(self, seconds: int) -> None:
        """End a direct connection whose bytes nobody acknowledges for so long; a channel ends with the one below."""
        if isinstance(self._inner, socket.socket):
            self._inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)

    def abort(self) -> None:
        """Shut the socket down, or close the channel; whoever reads or writes on it is woken."""
        if isinstance(self._inner, socket.socket):
            with contextlib.suppress(OSError):
                self._inner.shutdown(socket.SHUT_RDWR)
        else:
            # Closing a channel sends a message, and sending may block where the jump host hangs.
            threading.Thread(target=self.close, daemon=True).start()


class SignalTransport(paramiko.Transport):
    """paramiko drops `exit-signal` messages; this keeps them, by channel.

    `senders` are held by who writes to a channel of a jump host: paramiko may send data behind its own closing message.
    """

    signals: "weakref.WeakKeyDictionary[paramiko.Channel, str]" = weakref.WeakKeyDictionary()
    senders: "weakref.WeakKeyDictionary[paramiko.Channel, threading.Lock]" = weakref.WeakKeyDictionary()


def _keep_signal(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Look for an `exit-signal`, then let paramiko handle the message as ever."""
    start = message.packet.tell()
    if message.get_text() == "exit-signal":
        message.get_boolean()
        SignalTransport.signals[channel] = printable(message.get_text())
    message.packet.seek(start)
    _handle_request(channel, message)


def _close_in_turn(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Answer the far side's closing message once nobody writes; a writer who hangs is not waited for."""
    sending = SignalTransport.senders.get(channel)
    held = sending is not None and sending.acquire(timeout=_SENDING_S)
    try:
        _handle_close(channel, message)
    finally:
        if sending is not None and held:
            sending.release()


def _close_unwanted(forwarding: "Future[paramiko.Channel]") -> None:
    """Close the channel that a cancelled visit had asked for."""
    if not forwarding.cancelled() and forwarding.exception() is None:
        Stream(forwarding.result(), Greeting(lambda: None)).abort()


class Visit:
    """Follows one connection from dialling to the end of authentication."""

    def __init__(
        self, endpoint: Endpoint, pins: Pins, offer: Offer, deadlines: Deadlines, via: "Visit | None" = None
    ) -> None:
        self.endpoint = endpoint
        self.via = via
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

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands."""
        return self._transport is not None and self._transport.is_active()

    def find_broken_jump(self) -> str | None:
        """The label of the first jump host on the way whose connection is gone; blocks for a moment to see it."""
        deadline = time.monotonic() + _MOMENT_S
        hops: list[Visit] = []
        hop = self.via
        while hop is not None:
            hops.insert(0, hop)
            hop = hop.via
        while hops and all(hop.is_open for hop in hops) and time.monotonic() < deadline:
            time.sleep(0.01)
        return next((hop.endpoint.label for hop in hops if not hop.is_open), None)

    def lost_in_run(self, stdout: int) -> TransportError:
        """The connection ended before the exit status, or the one to a jump host did."""
        jump = self.find_broken_jump()
        return lost_in_run(stdout) if jump is None else jump_lost(Stage.RUN, jump)

    def keep_alive(self, seconds: int) -> None:
        """Ask the far side that often whether it is still there; the kernel gives up after three times as long."""
        self.transport.set_keepalive(seconds)
        self.stream.give_up_after(3 * seconds)

    def abort(self) -> None:
        """Drop the connection from any state, without blocking."""
        if self._stream is not None:
            self._stream.abort()
            if self._transport is None:
                self._stream.close()

    async def dial(self, pool: Executor) -> None:
        """Connect the stream, directly or through a jump host; raises TransportError."""
        if self.via is None:
            sock = await dial(self.endpoint.host, self.endpoint.port, self._deadlines.connect_s)
            self._stream = Stream(sock, self.greeting)
            return
        forwarding = pool.submit(self._forward, self.via)
        try:
            channel = await asyncio.wrap_future(forwarding)
        except asyncio.CancelledError:
            # The thread waits for the jump host's answer, which may come when nobody wants it any more.
            forwarding.add_done_callback(_close_unwanted)
            raise
        self._stream = Stream(channel, self.greeting)

    def _forward(self, via: "Visit") -> paramiko.Channel:
        target = (self.endpoint.host, self.endpoint.port)
        wait_s = self._deadlines.connect_s + 1.0
        try:
            return via.transport.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=wait_s)
        except paramiko.ChannelException as error:
            raise from_channel(error.code, error.text, via.endpoint.label, *target) from None
        except (paramiko.SSHException, OSError, EOFError):
            raise jump_lost(Stage.CONNECT, self.find_broken_jump() or via.endpoint.label) from None

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
        stage, jump = self._stage, self.find_broken_jump()
        if jump is not None:
            return jump_lost(stage, jump)
        if self.greeting.is_foreign:
            return not_ssh(self.greeting)
        if isinstance(error, IncompatiblePeer):
            return fault(
                Stage.CONNECT,
                Cause.NO_COMMON_ALGORITHM,
                f"no key exchange with {self._where()}: {printable(str(error))}",
                "compare the algorithms of the node's sshd with those of paramiko",
            )
        gone = isinstance(error, paramiko.AuthenticationException) or str(error) in _ENDED
        if gone or not self.greeting.is_ssh or not isinstance(error, paramiko.SSHException):
            return closed_unopened(self.greeting) if stage is Stage.CONNECT else lost(stage, "")
        return fault(stage, Cause.PROTOCOL_ERROR, f"{self._where()} broke the SSH protocol: {printable(str(error))}")


# What paramiko says when the far side simply went away.
_ENDED = ("Negotiation failed.", "No existing session", "Channel closed.")
_handle_request = paramiko.Channel._handle_request  # type: ignore[attr-defined]  # noqa: SLF001  # no public hook
_handle_close = paramiko.Channel._handle_close  # type: ignore[attr-defined]  # noqa: SLF001
SignalTransport._channel_handler_table = {  # type: ignore[attr-defined]  # noqa: SLF001  # no public hook
    **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]  # noqa: SLF001
    MSG_CHANNEL_REQUEST: _keep_signal,
    MSG_CHANNEL_CLOSE: _close_in_turn,
}
