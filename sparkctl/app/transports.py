"""The transports of one run, opened before its first visit."""

from collections.abc import Hashable, Iterable
from types import TracebackType
from typing import Self

from sparkctl.model.inventory import Node
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Transport, TransportError
from sparkctl.transport.settings import TransportSettings


class Transports:
    """Hands every node the transport that the inventory names for it; use it with `async with`, or close it.

    No connection, thread or event loop is needed to make them: they may be made before a fork and used after it.
    Raises UsageError when the operator's own SSH files cannot be read.
    """

    def __init__(self, settings: TransportSettings, nodes: Iterable[Node]) -> None:
        self._open: dict[str, Transport] = {
            name: open_transport(name, settings) for name in {node.transport: None for node in nodes}
        }

    def for_node(self, node: Node) -> Transport:
        """The transport of a node."""
        return self._open[node.transport]

    async def close(self) -> None:
        """Let go of what connections share."""
        for transport in self._open.values():
            await transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class SharedWays:
    """What visits to different nodes have in common, so that one process must make all of them.

    Nodes behind one first jump host share the connection to it, whatever comes after it on the way. Nodes whose keys
    are accepted on first sight share what was accepted: another process would accept a second key for the same name.
    """

    def __init__(self, settings: TransportSettings) -> None:
        from sparkctl.transport.route import Router  # noqa: PLC0415 - asyncssh takes a third of a second to import

        self._router = Router(settings)

    def __call__(self, node: Node) -> Hashable:
        """The same value for nodes that must be visited by the same process; None for a node that stands alone."""
        if node.transport == "local":
            return None
        if node.ssh.host_key_policy == "accept-new":
            return "accept-new"
        try:
            jumps = self._router.route(node).jumps
        except TransportError:
            return None  # its visit says what is wrong
        return (node.transport, jumps[0]) if jumps else None
