"""One connection of asyncssh: how it is dialled, what is told of it while it opens, and what its failures mean."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import asyncssh

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.dial import dial
from sparkctl.transport.faults import bad_settings, denied, fault, from_channel, lost, not_ssh
from sparkctl.transport.greeting import Greeting
from sparkctl.transport.hostkeys import (
    HostKeys,
    Pins,
    PresentedKey,
    certificate_refused,
    judge,
    judge_authority,
)
from sparkctl.transport.route import Endpoint
from sparkctl.transport.seam import TransportError
from sparkctl.transport.stages import StageClock


class Visitor(asyncssh.SSHClient):
    """Follows one connection from its first byte: moves the clock, judges the host key, hands out the agent's keys.

    asyncssh is given no trusted keys, so that every host key comes here to be judged.
    """

    def __init__(self, endpoint: Endpoint, pins: Pins, host_keys: HostKeys, offer: Offer, clock: StageClock) -> None:
        self.endpoint = endpoint
        self.pins = pins
        self.offer = offer
        self.clock = clock
        self.offered = len(offer.keys)
        self.warnings: list[str] = []
        self.refusal: TransportError | None = None
        self.host_key: str | None = None
        self.lost = False
        self.certified = False
        self.greeting = Greeting(lambda: clock.enter(Stage.HOST_KEY))
        self._host_keys = host_keys
        self._connection: asyncssh.SSHClientConnection | None = None
        self._agent: asyncssh.SSHAgentClient | None = None
        self._agent_asked = False
        self._accepted = False

    @property
    def connection(self) -> asyncssh.SSHClientConnection:
        """The connection, once it is open."""
        if self._connection is None:
            raise RuntimeError("the connection is not open")
        return self._connection

    def abort(self) -> None:
        """Drop the connection without a word to the far side."""
        self._close_agent()
        if self._connection is not None:
            self._connection.abort()

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Remember the connection."""
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Remember that it is gone."""
        self.lost = True
        self._close_agent()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Judge a plain host key."""
        refusal = judge(self.pins, PresentedKey.of(key.public_data))
        if refusal is not None and refusal.cause is Cause.HOST_KEY_UNKNOWN and self.endpoint.accept_new:
            self._accepted, refusal = True, None
        return self._decide(refusal)

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Judge the CA that signed a host certificate; asyncssh checks name and validity afterwards."""
        self.certified = True
        return self._decide(judge_authority(self.pins, PresentedKey.of(key.public_data)))

    def begin_auth(self, username: str) -> None:  # noqa: ARG002
        """The far side has proved that it holds the host key; nothing of ours has been sent yet."""
        key = self.connection.get_server_host_key()
        if key is None:
            raise asyncssh.HostKeyNotVerifiable("no host key")
        self.host_key = key.get_fingerprint()
        if self.certified and any(pin.blob == key.public_data for pin in self.pins.revoked):
            self.refusal = judge(self.pins, PresentedKey.of(key.public_data))
            raise asyncssh.HostKeyNotVerifiable("revoked")
        if self._accepted:
            self._accept(key)

    async def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        """The agent's keys, after those of identity files: a full agent must not use up the server's patience."""
        if self._agent_asked or self.endpoint.agent_path is None or self.offer.agent_identities == []:
            return None
        self._agent_asked = True
        try:
            self._agent = await asyncssh.connect_agent(self.endpoint.agent_path)
            keys = list(await self._agent.get_keys(self.offer.agent_identities))
        except (OSError, ValueError) as error:
            self.offer.remarks.append(f"the ssh-agent does not answer: {printable(str(error))}")
            return None
        self.offered += len(keys)
        return keys or None

    def auth_completed(self) -> None:
        """The agent has done its work."""
        self._close_agent()

    def _accept(self, key: asyncssh.SSHKey) -> None:
        endpoint = self.endpoint
        try:
            warning = self._host_keys.accept(
                endpoint.key_host, endpoint.key_port, endpoint.known_hosts_files, PresentedKey.of(key.public_data)
            )
        except TransportError as refusal:
            self.refusal = refusal
            raise asyncssh.HostKeyNotVerifiable("not accepted") from None
        self.warnings.extend([warning] if warning else [])

    def _decide(self, refusal: TransportError | None) -> bool:
        self.refusal = refusal
        if refusal is None:
            self.clock.enter(Stage.AUTHENTICATE)
        return refusal is None

    def _close_agent(self) -> None:
        if self._agent is not None:
            self._agent.close()
            self._agent = None


_BROKEN = (asyncssh.ProtocolError, asyncssh.KeyExchangeFailed, asyncssh.MACError, asyncssh.CompressionError)


class Dialer:
    """Opens the byte stream under a connection, directly or through a jump host; asyncssh takes it as its tunnel."""

    def __init__(self, via: Visitor | None, greeting: Greeting, seconds: float) -> None:
        self._via = via
        self._greeting = greeting
        self._seconds = seconds

    async def create_connection(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Connect, and hand the stream to what `factory` makes; raises TransportError."""
        tap = _Tap(factory(), self._greeting)
        if self._via is None:
            sock = await dial(host, port, self._seconds)
            await asyncio.get_running_loop().create_connection(lambda: tap, sock=sock)
        else:
            try:
                await self._via.connection.create_connection(cast("Any", lambda: tap), host, port)
            except asyncssh.ChannelOpenError as error:
                raise from_channel(error.code, error.reason, self._via.endpoint.label, host, port) from None
        return None, tap.inner

    def close(self) -> None:
        """The connections underneath are closed by who opened them."""


# asyncssh handles some packets in tasks. The end of the stream waits for them, or the reason for it would be lost.
_TURNS = 8


def _later(turns: int, callback: Callable[..., Any], *args: Any) -> None:
    """Call back after so many turns of the event loop."""
    if turns == 0:
        callback(*args)
    else:
        asyncio.get_running_loop().call_soon(_later, turns - 1, callback, *args)


class _Tap(asyncio.Protocol):
    """Passes everything on, and shows the greeting what arrives; it is a stream protocol and an SSH channel session."""

    def __init__(self, inner: Any, greeting: Greeting) -> None:
        self.inner = inner
        self._greeting = greeting

    def connection_made(self, transport: Any) -> None:
        self.inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        _later(_TURNS, self.inner.connection_lost, exc)

    def session_started(self) -> None:
        self.inner.session_started()

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        self._greeting.feed(data)
        self.inner.data_received(data, datatype)

    def eof_received(self) -> None:
        _later(_TURNS, self.inner.eof_received)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()


def explain(visitor: Visitor, error: Exception) -> TransportError:
    """What a failure to open a connection means. What we refused ourselves comes first."""
    if visitor.refusal is not None:
        return visitor.refusal
    if visitor.certified and visitor.host_key is None and isinstance(error, asyncssh.HostKeyNotVerifiable):
        return certificate_refused(visitor.pins, error.reason)
    if visitor.greeting.is_foreign or isinstance(error, asyncssh.ProtocolNotSupported):
        return not_ssh(visitor.greeting)
    if isinstance(error, asyncssh.Error):
        return _explain_protocol(visitor, error)
    if isinstance(error, OSError):
        return lost(visitor.clock.stage, printable(str(error)))
    return bad_settings(f"the settings of {visitor.endpoint.label} cannot be used: {printable(str(error))}")


def _explain_protocol(visitor: Visitor, error: asyncssh.Error) -> TransportError:
    """A failure inside the protocol: ours to detect, or the far side's parting words."""
    stage, endpoint, reason = visitor.clock.stage, visitor.endpoint, error.reason
    where = f"{endpoint.host} port {endpoint.port}"
    if isinstance(error, asyncssh.KeyExchangeFailed) and stage is Stage.HOST_KEY:
        return fault(
            Stage.CONNECT,
            Cause.NO_COMMON_ALGORITHM,
            f"no key exchange with {where}: {printable(reason)}",
            "compare the algorithms of the node's sshd with those of ssh_config",
        )
    if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in reason:
        return denied(endpoint.user, where, visitor.offered, visitor.offer.remarks)
    if isinstance(error, asyncssh.ConnectionLost):
        return lost(stage, "")
    if isinstance(error, _BROKEN):
        return fault(stage, Cause.PROTOCOL_ERROR, f"{where} broke the SSH protocol: {printable(reason)}")
    return lost(stage, reason)
