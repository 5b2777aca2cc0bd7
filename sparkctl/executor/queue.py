"""Which node is visited next: in order, but never more of one site, rack or jump host at once than is allowed."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from sparkctl.model.inventory import Node

Place = tuple[str, str]
"""A kind of place (`site`, `rack`, `jump`) and its name."""


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """How many nodes of one site, of one rack and behind one jump host may be visited at once; None is no limit."""

    site: int | None = None
    rack: int | None = None
    jump: int | None = None

    def places(self, node: Node) -> tuple[Place, ...]:
        """The limited places that a visit to this node takes a slot of."""
        named = {"site": node.site, "rack": node.rack, "jump": ",".join(node.ssh.jump) or None}
        return tuple((kind, name) for kind, name in named.items() if name and getattr(self, kind) is not None)


NO_LIMITS = PlaceLimits()


class NodeQueue:
    """Nodes waiting for a visit. `take` hands out the first one whose places have room, and waits where none has."""

    def __init__(self, nodes: Iterable[Node], limits: PlaceLimits) -> None:
        self._limits = limits
        self._waiting: dict[tuple[Place, ...], deque[Node]] = {}
        self._busy: Counter[Place] = Counter()
        self._room = asyncio.Condition()
        self._closed = False
        for node in nodes:
            self._waiting.setdefault(limits.places(node), deque()).append(node)

    async def take(self) -> Node | None:
        """The next node, whose places are then taken until `give_back`; None when there is none, or after `close`."""
        async with self._room:
            while self._waiting and not self._closed:
                node = self._next()
                if node is not None:
                    return node
                await self._room.wait()
        return None

    async def give_back(self, node: Node) -> None:
        """The visit to this node is over: its places have room again."""
        places = self._limits.places(node)
        if not places:
            return
        async with self._room:
            self._busy.subtract(places)
            self._room.notify_all()

    async def close(self) -> None:
        """Hand out nobody any more, and wake those who wait for room."""
        async with self._room:
            self._closed = True
            self._room.notify_all()

    def left(self) -> list[Node]:
        """Those who were never handed out."""
        return [node for nodes in self._waiting.values() for node in nodes]

    def _next(self) -> Node | None:
        places = next((places for places in self._waiting if self._has_room(places)), None)
        if places is None:
            return None
        nodes = self._waiting.pop(places)
        node = nodes.popleft()
        if nodes:
            self._waiting[places] = nodes  # at the end, so that places take turns
        self._busy.update(places)
        return node

    def _has_room(self, places: tuple[Place, ...]) -> bool:
        return all(self._busy[place] < getattr(self._limits, place[0]) for place in places)
