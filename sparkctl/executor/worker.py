"""The life of one worker process: numbers of nodes in, outcomes out, until its socket ends."""

import asyncio
import os
import pickle
import signal
import socket
import struct
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, Protocol

from sparkctl.executor.fanout import VisitHere
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand
from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Cause
from sparkctl.transport.seam import Transport

TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal sends to the whole group; the parent decides what it means."""
GRACE_S = 2.0
"""How long a worker takes to let go of its nodes when the parent is gone, in seconds."""

_LENGTH = struct.Struct(">I")
# What `pickle` documents, and what classes raise that are given the wrong state.
_NOT_A_PICKLE = (pickle.UnpicklingError, AttributeError, EOFError, ImportError, LookupError, TypeError, ValueError)


class Carriers(Protocol):
    """The transports of a run. They are made before the fork and used after it, so they must not be in use then."""

    def for_node(self, node: Node) -> Transport:
        """The transport of a node."""

    async def close(self) -> None:
        """Let go of what connections share."""


def pack(message: object) -> bytes:
    """A message as it crosses the socket."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader, limit: int) -> object:
    """The next message, None at the end; raises ValueError for what is no message or longer than `limit` bytes."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > limit:
            raise ValueError(f"announced {length} bytes, more than the {limit} an answer may have")
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    try:
        return pickle.loads(body)  # noqa: S301 - the other end is this program, forked, with the same rights
    except _NOT_A_PICKLE:
        raise ValueError("sent something that is no message") from None


def live(sock: socket.socket, nodes: Sequence[Node], errand: Errand, carriers: Carriers) -> NoReturn:
    """Be a worker, from the fork to the exit of the process. `sock` is all that it keeps open of the parent's."""
    status = 1
    try:
        _leave_the_parents_things(sock)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(_serve(sock, nodes, errand, carriers))
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's code; the parent sees the exit status
        traceback.print_exc()
    finally:
        os._exit(status)  # at once: a thread that asks a dead name server would be waited for


def _leave_the_parents_things(sock: socket.socket) -> None:
    """Keep no descriptor whose end others wait for: the sockets of other workers, a lock, standard output."""
    for number in TERMINAL_SIGNALS:
        # A handler, since what is ignored would stay ignored in the commands of local nodes.
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL_SIGNALS)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    mine = sock.fileno()
    os.closerange(3, mine)
    os.closerange(mine + 1, os.sysconf("SC_OPEN_MAX"))


async def _serve(sock: socket.socket, nodes: Sequence[Node], errand: Errand, carriers: Carriers) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=sock)
    stop = Stop()
    visit = VisitHere(errand, carriers.for_node, stop)

    async def answer(number: int) -> None:
        outcome = await visit(nodes[number])
        with suppress(ConnectionError):  # the parent is gone, which the loop below learns too
            writer.write(pack((number, outcome)))
            await writer.drain()

    # A bug in one answer ends the group and with it the worker: a node whose answer never comes would hold up the run.
    async with asyncio.TaskGroup() as group:
        visits: set[asyncio.Task[None]] = set()
        with suppress(ConnectionError):
            while (message := await receive(reader, 1 << 20)) is not None:
                match message:
                    case int(number):
                        task = group.create_task(answer(number))
                        visits.add(task)
                        task.add_done_callback(visits.discard)
                    case (Cause() as cause, str(words)):
                        stop.set(cause, words)
        for task in visits:
            task.cancel()
        if visits:
            await asyncio.wait(visits, timeout=GRACE_S / 2)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S / 2):
                await carriers.close()
        if visits:
            os._exit(0)  # they do not let go, and nobody waits for them any more
