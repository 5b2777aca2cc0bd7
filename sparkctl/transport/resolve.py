"""Names to addresses, on threads of our own: a name server that is silent holds up nobody but the names it knows.

The event loop's own look-ups share a handful of threads with each other and with all else that blocks, and a process
waits at its end for each of them. A look-up cannot be stopped, and may take a minute.
"""

import asyncio
import contextlib
import socket
import threading
import weakref
from collections.abc import Sequence
from typing import Any

Address = tuple[int, int, int, str, Any]

# Threads that wait for a name server at once. One costs some ten KiB, and each name has one at most.
_MOST_LOOKUPS = 128


class Resolver:
    """The look-ups of one event loop: a bounded number at once, and one for all who ask for a name meanwhile.

    A caller that is cancelled leaves its look-up to the others. One that nobody wants any more is never begun; once
    begun it goes on, keeps its place, and serves whoever asks again.
    """

    def __init__(self, most: int = _MOST_LOOKUPS) -> None:
        self._places = asyncio.Semaphore(most)
        self._lookups: dict[str, asyncio.Task[list[Address]]] = {}
        self._wanted: dict[str, int] = {}
        self._begun: set[str] = set()

    async def look_up(self, host: str) -> Sequence[Address]:
        """The TCP addresses of a name, with port 0. Raises OSError, and UnicodeError for what cannot be a name."""
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.create_task(self._look_up(host))
            lookup.add_done_callback(_take_note)
        self._wanted[host] = self._wanted.get(host, 0) + 1
        try:
            return await asyncio.shield(lookup)
        finally:
            self._let_go(host, lookup)

    def _let_go(self, host: str, lookup: "asyncio.Task[list[Address]]") -> None:
        self._wanted[host] -= 1
        if self._wanted[host] == 0:
            del self._wanted[host]
            if host not in self._begun and self._lookups.get(host) is lookup:
                del self._lookups[host]
                lookup.cancel()

    async def _look_up(self, host: str) -> list[Address]:
        async with self._places:
            self._begun.add(host)
            try:
                return await _in_thread(host)
            finally:
                self._begun.discard(host)
                del self._lookups[host]


async def resolve(host: str, port: int) -> Sequence[Address]:
    """The TCP addresses of a name or a numeric address. Raises OSError, and UnicodeError for what cannot be a name."""
    resolver = _RESOLVERS.setdefault(asyncio.get_running_loop(), Resolver())
    found = await resolver.look_up(host)
    return [
        (family, kind, protocol, name, (target[0], port, *target[2:])) for family, kind, protocol, name, target in found
    ]


_RESOLVERS: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Resolver]" = weakref.WeakKeyDictionary()


def _in_thread(host: str) -> "asyncio.Future[list[Address]]":
    """Ask the system in a thread that no end of a process waits for."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def give(found: Sequence[Address], error: OSError | UnicodeError | None) -> None:
        if answer.cancelled():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(list(found))

    def ask() -> None:
        found: Sequence[Address] = ()
        failure: OSError | UnicodeError | None = None
        try:
            found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the event loop has ended, and with it the question
            loop.call_soon_threadsafe(give, found, failure)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    return answer


def _take_note(lookup: "asyncio.Task[list[Address]]") -> None:
    """Look at a failure that nobody may be left to receive, so that it is not called forgotten."""
    if not lookup.cancelled():
        lookup.exception()
