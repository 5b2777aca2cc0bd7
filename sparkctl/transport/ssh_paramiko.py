"""SSH through paramiko, for sites whose policy wants it: the same stages, causes, limits and pins as asyncssh."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
from sparkctl.transport.credentials import KeyRing
from sparkctl.transport.faults import bad_settings
from sparkctl.transport.hostkeys import HostKeys
from sparkctl.transport.jumps import JumpHosts
from sparkctl.transport.paramiko_keys import ParamikoKeys
from sparkctl.transport.paramiko_session import ParamikoSession
from sparkctl.transport.paramiko_visit import Visit
from sparkctl.transport.route import Endpoint, Router
from sparkctl.transport.seam import Deadlines
from sparkctl.transport.settings import TransportSettings

# One thread for each connection that is being opened or used, made when it is needed. A node that waited for a thread
# while others hang would seem to give no answer itself, so there are more than `--concurrency` allows visits.
_MOST_THREADS = 2048
_ALIVE_S = 5


class ParamikoTransport:
    """Connections of one run; keys, pins and configuration are read once and shared.

    Blocking work runs in threads. When a visit is cancelled its socket is shut down, which ends its threads.
    Raises UsageError when the pin file or a known_hosts file of the user is malformed.
    """

    def __init__(self, settings: TransportSettings) -> None:
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
        self._router = Router(settings)
        self._ring = KeyRing()
        self._keys = ParamikoKeys()
        self._host_keys = HostKeys()
        self._jumps: JumpHosts[Visit] = JumpHosts(self._jump)
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="paramiko-visit")
        for path in (settings.pins_file, *settings.known_hosts_files):
            self._host_keys.load(path)

    async def connect(self, node: Node, deadlines: Deadlines) -> ParamikoSession:
        """Connect through every jump host, verify the host key, authenticate; raises TransportError."""
        route = self._router.route(node)
        began = time.monotonic()
        via = await self._jumps.reach(route.jumps, deadlines)
        waited_ms = round((time.monotonic() - began) * 1000)
        visit = await self._visit(route.node, via, deadlines)
        return ParamikoSession(visit, waited_ms, self._jumps.claim_warnings(route.jumps), self._pool)

    async def close(self) -> None:
        """Drop the connections to jump hosts, and let the idle threads go."""
        await self._jumps.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _jump(self, endpoint: Endpoint, via: Visit | None, deadlines: Deadlines) -> Visit:
        visit = await self._visit(endpoint, via, deadlines)
        visit.keep_alive(_ALIVE_S)
        return visit

    async def _visit(self, endpoint: Endpoint, via: Visit | None, deadlines: Deadlines) -> Visit:
        """Open one connection, through another where there is one."""
        try:
            pins = self._host_keys.lookup(endpoint.key_host, endpoint.key_port, endpoint.known_hosts_files)
        except UsageError as error:
            raise bad_settings(error.message, error.hint) from None
        visit = Visit(endpoint, pins, self._ring.offer(endpoint), deadlines, via)
        await visit.clock.run(self._open(visit))
        return visit

    async def _open(self, visit: Visit) -> None:
        try:
            await visit.dial(self._pool)
            await asyncio.get_running_loop().run_in_executor(
                self._pool, visit.authenticate, self._keys, self._host_keys
            )
        except BaseException:
            visit.abort()
            raise
