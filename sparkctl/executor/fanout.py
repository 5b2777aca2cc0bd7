"""Visit many nodes at once, a bounded number at a time, and hand over each outcome as it is known."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sparkctl.executor.queue import NO_LIMITS, NodeQueue, PlaceLimits
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, not_visited, visit
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.transport.seam import Transport

Visitor = Callable[[Node], Awaitable[NodeOutcome]]
"""Visits one node; it ends with an outcome in every case, and soon once the run is stopped."""


@dataclass
class VisitHere:
    """The visitor of this process and this event loop; `stop` ends its visits with its cause."""

    errand: Errand
    transport_for: Callable[[Node], Transport]
    stop: Stop
    chance: random.Random = field(default_factory=random.Random)

    async def __call__(self, node: Node) -> NodeOutcome:
        """Visit a node until its end or the run's, whichever comes first."""
        visiting = asyncio.create_task(visit(node, self.transport_for(node), self.errand, self.stop, self.chance))
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({visiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            visiting.cancel()
            record = await visiting  # a cancelled visit lets go of its node and ends with a record
        return NodeOutcome.of(record)


@dataclass
class FanOut:
    """One run over many nodes, by `visit`.

    `on_outcome` is awaited for every node and is the backpressure: a visitor waits until its outcome is taken. What it
    raises ends the run. When `stop` is set, visits under way end with its cause and the other nodes as not visited.
    `visiting` names the nodes that are being visited.
    """

    errand: Errand
    visit: Visitor
    on_outcome: Callable[[NodeOutcome], Awaitable[None]]
    stop: Stop
    places: PlaceLimits = NO_LIMITS
    visiting: set[str] = field(default_factory=set)

    async def run(self, nodes: Iterable[Node]) -> None:
        """Visit every node."""
        queue = NodeQueue(nodes, self.places)
        closing = asyncio.create_task(self._close_when_stopped(queue))
        visitors = [asyncio.create_task(self._visitor(queue)) for _ in range(self.errand.limits.concurrency)]
        try:
            await asyncio.gather(*visitors)
        finally:
            for task in (closing, *visitors):
                task.cancel()
            await asyncio.gather(closing, *visitors, return_exceptions=True)
        for node in queue.left():
            await self.on_outcome(NodeOutcome.of(not_visited(node, self.errand, self.stop)))

    async def _visitor(self, queue: NodeQueue) -> None:
        while not self.stop.is_set() and (node := await queue.take()) is not None:
            self.visiting.add(node.node_id)
            try:
                await self.on_outcome(await self.visit(node))
            finally:
                self.visiting.discard(node.node_id)
                await queue.give_back(node)

    async def _close_when_stopped(self, queue: NodeQueue) -> None:
        await self.stop.wait()
        await queue.close()
