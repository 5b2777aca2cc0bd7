"""The transports of one run, opened before its first visit."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from sparkctl.model.inventory import Node
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Transport
from sparkctl.transport.settings import TransportSettings


class Transports:
    """Hands every node the transport that the inventory names for it; use it with `async with`.

    Raises UsageError when the operator's own SSH files cannot be read.
    """

    def __init__(self, settings: TransportSettings, nodes: Iterable[Node]) -> None:
        self._open: dict[str, Transport] = {
            name: open_transport(name, settings) for name in {node.transport: None for node in nodes}
        }

    def for_node(self, node: Node) -> Transport:
        """The transport of a node."""
        return self._open[node.transport]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._open.values():
            await transport.close()
