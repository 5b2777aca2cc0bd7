"""SSH through asyncssh: the default transport."""

import asyncio
import logging

import asyncssh

from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
from sparkctl.transport.credentials import KeyRing
from sparkctl.transport.faults import bad_settings, through_jump
from sparkctl.transport.hostkeys import HostKeys, Pins
from sparkctl.transport.route import Endpoint, Router
from sparkctl.transport.seam import Deadlines, TransportError
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh_client import Dialer, Visitor, explain
from sparkctl.transport.ssh_session import AsyncsshSession
from sparkctl.transport.stages import StageClock

_PLAIN = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_CERTIFIED = tuple(f"{name}-cert-v01@openssh.com" for name in _PLAIN)


class AsyncsshTransport:
    """Connections of one run; keys, pins and configuration are read once and shared.

    Raises UsageError when the pin file or a known_hosts file of the user is malformed.
    """

    def __init__(self, settings: TransportSettings) -> None:
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)
        self._router = Router(settings)
        self._keys = KeyRing()
        self._host_keys = HostKeys()
        for path in (settings.pins_file, *settings.known_hosts_files):
            self._host_keys.load(path)

    async def connect(self, node: Node, deadlines: Deadlines) -> AsyncsshSession:
        """Connect through every jump host, verify the host key, authenticate; raises TransportError."""
        opened = await self.open_jumps(node, deadlines)
        try:
            await self._visit(self._router.route(node).node, opened, deadlines)
        except BaseException:
            await drop(opened)
            raise
        return AsyncsshSession(opened)

    async def open_jumps(self, node: Node, deadlines: Deadlines) -> list[Visitor]:
        """Connect to the jump hosts of a node, each through the one before; raises TransportError(jump_host)."""
        opened: list[Visitor] = []
        try:
            for hop in self._router.route(node).jumps:
                try:
                    await self._visit(hop, opened, deadlines)
                except TransportError as error:
                    raise through_jump(error, hop.label) from None
        except BaseException:
            await drop(opened)
            raise
        return opened

    async def close(self) -> None:
        """Nothing is shared between connections but what was read."""

    async def _visit(self, endpoint: Endpoint, opened: list[Visitor], deadlines: Deadlines) -> None:
        """Open one connection, through the last one that is open, and add it to `opened`."""
        clock = StageClock(deadlines)
        pins = self.pins(endpoint)
        visitor = Visitor(endpoint, pins, self._host_keys, self._keys.offer(endpoint), clock)
        via = opened[-1] if opened else None
        dialer = Dialer(via, visitor.greeting, deadlines.connect_s)
        await clock.run(self._handshake(visitor, dialer))
        opened.append(visitor)

    async def _handshake(self, visitor: Visitor, dialer: Dialer) -> None:
        endpoint = visitor.endpoint
        try:
            await asyncssh.connect(
                endpoint.host,
                endpoint.port,
                tunnel=dialer,
                config=None,
                options=endpoint.options,
                client_factory=lambda: visitor,
                username=endpoint.user,
                client_keys=visitor.offer.pairs() or None,
                known_hosts=([], [], []),
                host_key_alias=endpoint.key_host,
                server_host_key_algs=host_key_algorithms(visitor.pins),
            )
        except (asyncssh.Error, OSError, ValueError) as error:
            raise explain(visitor, error) from None

    def pins(self, endpoint: Endpoint) -> Pins:
        """What is pinned for one host; a malformed file named for this node alone is the node's failure."""
        try:
            return self._host_keys.lookup(endpoint.key_host, endpoint.key_port, endpoint.known_hosts_files)
        except UsageError as error:
            raise bad_settings(error.message, error.hint) from None


def host_key_algorithms(pins: Pins) -> list[str]:
    """Pinned key types first, so that a server with several keys shows the one we know; certificates only with a CA."""
    pinned = [name for pin in pins.trusted for name in pin.signature_algorithms if name in _PLAIN]
    certified = _CERTIFIED if pins.authorities else ()
    return list(dict.fromkeys((*certified, *pinned, *_PLAIN)))


async def drop(opened: list[Visitor]) -> None:
    """Drop connections, the innermost first; a few turns of the event loop close the sockets."""
    for visitor in reversed(opened):
        visitor.abort()
    for _ in range(12):
        await asyncio.sleep(0)
