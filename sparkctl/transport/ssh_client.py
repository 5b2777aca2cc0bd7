"""One connection of asyncssh: how it is dialled, what is told of it while it opens, and what its failures mean."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import asyncssh

from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.dial import dial
from sparkctl.transport.faults import (
    bad_settings,
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
from sparkctl.transport.ssh_connection import Connection, tailored
from sparkctl.transport.stages import StageClock


class Visitor(asyncssh.SSHClient):
    """Follows one connection from its first byte: moves the clock, judges the host key, hands out the agent's keys.

    asyncssh is given no trusted keys, so that every host key comes here to be judged.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pins: Pins,
        host_keys: HostKeys,
        offer: Offer,
        clock: StageClock,
        *,
        via: "Visitor | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.via = via
        self.pins = pins
        self.offer = offer
        self.clock = clock
        self.offered = len(offer.keys)
        self.warnings: list[str] = []
        self.refusal: TransportError | None = None
        self.host_key: str | None = None
        self.lost = False
        self.certified = False
        self.any_key = False
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

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands."""
        return self._connection is not None and not self.lost and not self._connection.is_closed()

    @property
    def broken_jump(self) -> str | None:
        """The label of the first jump host on the way whose connection is gone."""
        if self.via is None:
            return None
        return self.via.broken_jump or (None if self.via.is_open else self.via.endpoint.label)

    def lost_in_run(self, stdout: int) -> TransportError:
        """The connection ended before the exit status, or the one to a jump host did."""
        jump = self.broken_jump
        return lost_in_run(stdout) if jump is None else jump_lost(Stage.RUN, jump)

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
        if self.any_key:
            return True
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
        if key is None or self.any_key:
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


async def open_connection(
    visitor: Visitor, connect_s: float, server_host_key_algs: Sequence[str], *, wait: str = "auth", alive_s: float = 0
) -> Connection:
    """Open the connection that `visitor` follows, directly or through a jump host; raises TransportError.

    `wait` is how far: `auth`, or `kex` for the host key alone. With `alive_s` the far side is asked that often
    (seconds) whether it is still there, and given up after two questions without answer.
    """
    endpoint = visitor.endpoint
    options = tailored(
        endpoint.options,
        client=visitor,
        host=endpoint.host,
        host_key_alias=endpoint.key_host,
        client_keys=visitor.offer.pairs() or None,
        server_host_key_algs=server_host_key_algs,
    )
    options.keepalive_interval, options.keepalive_count_max = alive_s, 2
    connection = Connection(asyncio.get_running_loop(), options, visitor.greeting, wait)
    try:
        await _dial(visitor, connection, connect_s)
        await cast("asyncio.Future[None]", options.waiter)
    except BaseException as error:
        connection.abort()
        await settle()
        if isinstance(error, (asyncssh.Error, OSError, ValueError)):
            raise explain(visitor, error) from None
        raise
    return connection


async def _dial(visitor: Visitor, connection: Connection, connect_s: float) -> None:
    host, port, via = visitor.endpoint.host, visitor.endpoint.port, visitor.via
    if via is None:
        sock = await dial(host, port, connect_s)
        await asyncio.get_running_loop().create_connection(lambda: connection, sock=sock)
        return
    try:
        await via.connection.create_connection(cast("Any", lambda: connection), host, port)
    except asyncssh.ChannelOpenError as error:
        if visitor.broken_jump is not None:
            raise
        raise from_channel(error.code, error.reason, via.endpoint.label, host, port) from None


async def settle() -> None:
    """Let what was aborted close its socket, which takes a few turns of the event loop and never the far side."""
    for _ in range(4):
        await asyncio.sleep(0)


def explain(visitor: Visitor, error: Exception) -> TransportError:
    """What a failure to open a connection means. What we refused ourselves comes first."""
    refusal = visitor.refusal or _explain_way(visitor)
    if refusal is not None:
        return refusal
    if visitor.certified and visitor.host_key is None and isinstance(error, asyncssh.HostKeyNotVerifiable):
        return certificate_refused(visitor.pins, error.reason)
    if visitor.greeting.is_foreign or isinstance(error, asyncssh.ProtocolNotSupported):
        return not_ssh(visitor.greeting)
    if isinstance(error, OSError | asyncssh.ConnectionLost):
        return _explain_loss(visitor)
    if isinstance(error, asyncssh.Error):
        return _explain_protocol(visitor, error)
    return bad_settings(f"the settings of {visitor.endpoint.label} cannot be used: {printable(str(error))}")


def _explain_way(visitor: Visitor) -> TransportError | None:
    """Whether a jump host on the way was lost."""
    jump = visitor.broken_jump
    return None if jump is None else jump_lost(visitor.clock.stage, jump)


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
    if isinstance(error, _BROKEN):
        return fault(stage, Cause.PROTOCOL_ERROR, f"{where} broke the SSH protocol: {printable(reason)}")
    return lost(stage, reason)


def _explain_loss(visitor: Visitor) -> TransportError:
    """The far side went away without a word."""
    stage = visitor.clock.stage
    return closed_unopened(visitor.greeting) if stage is Stage.CONNECT else lost(stage, "")
