"""Jump hosts of a run: one connection for each, shared by all nodes behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sparkctl.transport.faults import through_jump
from sparkctl.transport.route import Endpoint
from sparkctl.transport.seam import Deadlines, TransportError

# However many nodes ask, a jump host is connected to at most once in this time (seconds).
_BETWEEN_S = 0.5
# After so many failures in a row nobody waits for it: the last failure is the answer for this time (seconds).
_MOST_FAILURES = 3
_STANDS_S = 30.0


class Hop(Protocol):
    """An open connection to a jump host; `warnings` are of its opening."""

    warnings: list[str]

    @property
    def is_open(self) -> bool:
        """Whether connections can still be opened through it."""

    def abort(self) -> None:
        """Drop it, without waiting."""


H = TypeVar("H", bound=Hop)


@dataclass(slots=True)
class _Way(Generic[H]):
    """The connection to one jump host, or the attempt at it, or how the last attempt failed."""

    opening: "asyncio.Task[H] | None" = None
    refusal: TransportError | None = None
    failures: int = 0
    not_before: float = 0.0

    def is_usable(self) -> bool:
        """Whether a connection is open or being opened."""
        if self.opening is None:
            return False
        if not self.opening.done():
            return True
        return not self.opening.cancelled() and self.opening.exception() is None and self.opening.result().is_open


class JumpHosts(Generic[H]):
    """Opens the way through jump hosts, each through the one before.

    A connection that broke is opened again, once for all who ask meanwhile. A failure that cannot pass (host key,
    credentials, settings) is not tried again in this run. `connect` opens one connection through another.
    """

    def __init__(self, connect: Callable[[Endpoint, H | None, Deadlines], Awaitable[H]]) -> None:
        self._connect = connect
        self._ways: dict[tuple[Endpoint, ...], _Way[H]] = {}

    async def reach(self, jumps: tuple[Endpoint, ...], deadlines: Deadlines) -> H | None:
        """The last of some jump hosts, None without any; raises TransportError(jump_host)."""
        if not jumps:
            return None
        way = self._ways.setdefault(jumps, _Way())
        try:
            # One node that gives up must not take the connection from the others.
            return await asyncio.shield(self._opening(way, jumps, deadlines))
        except TransportError as error:
            raise through_jump(error, jumps[-1].label) from None

    def claim_warnings(self, jumps: tuple[Endpoint, ...]) -> list[str]:
        """The warnings of opening these jump hosts; whoever asks first gets them."""
        claimed: list[str] = []
        for length in range(1, len(jumps) + 1):
            way = self._ways.get(jumps[:length])
            if way is not None and way.opening is not None and way.is_usable() and way.opening.done():
                hop = way.opening.result()
                claimed += hop.warnings
                hop.warnings = []
        return claimed

    async def close(self) -> None:
        """Drop every connection, the innermost first."""
        innermost_first = sorted(self._ways, key=len, reverse=True)
        openings = [opening for jumps in innermost_first if (opening := self._ways[jumps].opening) is not None]
        self._ways.clear()
        for opening in openings:
            opening.cancel()
        for hop in await asyncio.gather(*openings, return_exceptions=True):
            if not isinstance(hop, BaseException):
                hop.abort()

    def _opening(self, way: _Way[H], jumps: tuple[Endpoint, ...], deadlines: Deadlines) -> "asyncio.Task[H]":
        if way.opening is None or not way.is_usable():
            self._refuse_again(way)
            way.opening = asyncio.create_task(self._open(way, jumps, deadlines))
        return way.opening

    async def _open(self, way: _Way[H], jumps: tuple[Endpoint, ...], deadlines: Deadlines) -> H:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, way.not_before - loop.time()))
        try:
            via = await self.reach(jumps[:-1], deadlines)
            hop = await self._connect(jumps[-1], via, deadlines)
        except TransportError as error:
            way.failures += 1
            way.refusal = error
            if error.retryable:
                error.pause_s = max(error.pause_s or 0.0, _BETWEEN_S)
            way.not_before = loop.time() + (
                _STANDS_S if way.failures >= _MOST_FAILURES else error.pause_s or _BETWEEN_S
            )
            raise
        way.failures, way.refusal = 0, None
        way.not_before = loop.time() + _BETWEEN_S
        return hop

    def _refuse_again(self, way: _Way[H]) -> None:
        """Raise the last failure again, as final, where trying at once is of no use."""
        refusal = way.refusal
        if refusal is None:
            return
        standing = way.failures >= _MOST_FAILURES and asyncio.get_running_loop().time() < way.not_before
        if standing or not refusal.retryable:
            raise TransportError(refusal.stage, refusal.cause, refusal.message, hint=refusal.hint)
