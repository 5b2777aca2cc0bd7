"""SSH through paramiko, for sites whose policy wants it: the same stages, causes, limits and pins as asyncssh."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
from sparkctl.transport.credentials import KeyRing
from sparkctl.transport.faults import bad_settings, through_jump
from sparkctl.transport.hostkeys import HostKeys
from sparkctl.transport.paramiko_keys import ParamikoKeys
from sparkctl.transport.paramiko_session import ParamikoSession
from sparkctl.transport.paramiko_visit import Visit
from sparkctl.transport.route import Endpoint, Router
from sparkctl.transport.seam import Deadlines, TransportError
from sparkctl.transport.settings import TransportSettings

# One thread for each connection that is being opened or used; the executor's fan-out stays below it.
_MOST_THREADS = 256


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
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="paramiko-visit")
        for path in (settings.pins_file, *settings.known_hosts_files):
            self._host_keys.load(path)

    async def connect(self, node: Node, deadlines: Deadlines) -> ParamikoSession:
        """Connect through every jump host, verify the host key, authenticate; raises TransportError."""
        route = self._router.route(node)
        opened: list[Visit] = []
        try:
            for hop in route.jumps:
                try:
                    await self._visit(hop, opened, deadlines)
                except TransportError as error:
                    raise through_jump(error, hop.label) from None
            await self._visit(route.node, opened, deadlines)
        except BaseException:
            for visit in opened[:1]:
                visit.stream.abort()
            raise
        return ParamikoSession(opened, self._pool)

    async def close(self) -> None:
        """Let the idle threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _visit(self, endpoint: Endpoint, opened: list[Visit], deadlines: Deadlines) -> None:
        """Open one connection, through the last one that is open, and add it to `opened`."""
        try:
            pins = self._host_keys.lookup(endpoint.key_host, endpoint.key_port, endpoint.known_hosts_files)
        except UsageError as error:
            raise bad_settings(error.message, error.hint) from None
        visit = Visit(endpoint, pins, self._ring.offer(endpoint), deadlines)
        await visit.clock.run(self._open(visit, opened[-1] if opened else None))
        opened.append(visit)

    async def _open(self, visit: Visit, via: Visit | None) -> None:
        try:
            await visit.dial(via, self._pool)
            await asyncio.get_running_loop().run_in_executor(
                self._pool, visit.authenticate, self._keys, self._host_keys
            )
        except BaseException:
            visit.abort()
            raise
