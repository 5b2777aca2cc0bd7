"""SSH through asyncssh: the default transport."""

import logging
import time

from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
from sparkctl.transport.credentials import KeyRing
from sparkctl.transport.faults import bad_settings
from sparkctl.transport.hostkeys import HostKeys, Pins
from sparkctl.transport.jumps import JumpHosts
from sparkctl.transport.route import Endpoint, Router
from sparkctl.transport.seam import Deadlines
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh_client import Visitor, open_connection, settle
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
# A jump host that is silent for three times this long (seconds) has broken, and every node behind it is told.
_ALIVE_S = 5.0


class AsyncsshTransport:
    """Connections of one run; keys, pins and configuration are read once and shared.

    Raises UsageError when the pin file or a known_hosts file of the user is malformed.
    """

    def __init__(self, settings: TransportSettings) -> None:
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)
        self._router = Router(settings)
        self._keys = KeyRing()
        self._host_keys = HostKeys()
        self._jumps: JumpHosts[Visitor] = JumpHosts(self._jump)
        for path in (settings.pins_file, *settings.known_hosts_files):
            self._host_keys.load(path)

    async def connect(self, node: Node, deadlines: Deadlines) -> AsyncsshSession:
        """Connect through every jump host, verify the host key, authenticate; raises TransportError."""
        route = self._router.route(node)
        began = time.monotonic()
        via = await self._jumps.reach(route.jumps, deadlines)
        waited_ms = round((time.monotonic() - began) * 1000)
        visitor = await self._visit(route.node, via, deadlines)
        return AsyncsshSession(visitor, waited_ms, self._jumps.claim_warnings(route.jumps))

    async def jump(self, node: Node, deadlines: Deadlines) -> Visitor | None:
        """The connection to the last jump host of a node; raises TransportError(jump_host)."""
        return await self._jumps.reach(self._router.route(node).jumps, deadlines)

    async def close(self) -> None:
        """Drop the connections to jump hosts."""
        await self._jumps.close()
        await settle()

    async def _jump(self, endpoint: Endpoint, via: Visitor | None, deadlines: Deadlines) -> Visitor:
        return await self._visit(endpoint, via, deadlines, alive_s=_ALIVE_S)

    async def _visit(
        self, endpoint: Endpoint, via: Visitor | None, deadlines: Deadlines, alive_s: float = 0
    ) -> Visitor:
        """Open one connection, through another where there is one."""
        clock = StageClock(deadlines)
        pins = self.pins(endpoint)
        visitor = Visitor(endpoint, pins, self._host_keys, self._keys.offer(endpoint), clock, via=via)
        algorithms = host_key_algorithms(pins)
        await clock.run(open_connection(visitor, deadlines.connect_s, algorithms, alive_s=alive_s))
        return visitor

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
