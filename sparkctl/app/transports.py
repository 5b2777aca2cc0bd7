"""The transports of one run: each opened once, when the first node asks for it."""

from types import TracebackType
from typing import Self

from sparkctl.model.inventory import Node
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Transport
from sparkctl.transport.settings import TransportSettings


class Transports:
    """Hands every node the transport that the inventory names for it; use it with `async with`."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._open: dict[str, Transport] = {}

    def for_node(self, node: Node) -> Transport:
        """The transport of a node; raises UsageError when its files cannot be read."""
        if node.transport not in self._open:
            self._open[node.transport] = open_transport(node.transport, self._settings)
        return self._open[node.transport]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._open.values():
            await transport.close()
