"""The host key of a node, fetched to be shown to a person and then pinned."""

from dataclasses import dataclass

import asyncssh

from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.faults import lost
from sparkctl.transport.hostkeys import HostKeys, Pins
from sparkctl.transport.route import Router
from sparkctl.transport.seam import Deadlines
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh import AsyncsshTransport, host_key_algorithms
from sparkctl.transport.ssh_client import Visitor, open_connection, settle
from sparkctl.transport.stages import StageClock

_NOTHING = Pins("", (), (), ())


@dataclass(frozen=True, slots=True)
class FetchedKey:
    """A host key as the node showed it, and the name it is to be pinned under (`hostkeys.pin`).

    `public_key` is `TYPE BASE64`. Nothing has been verified but that the far side holds the private key.
    """

    host: str
    port: int
    key_type: str
    fingerprint: str
    public_key: str


async def fetch_host_key(node: Node, deadlines: Deadlines, settings: TransportSettings) -> FetchedKey:
    """Ask a node for its host key without authenticating to it; raises TransportError.

    Jump hosts on the way are verified and authenticated to as ever, so theirs must be pinned first.
    """
    endpoint = Router(settings).route(node).node
    transport = AsyncsshTransport(settings)
    try:
        via = await transport.jump(node, deadlines)
        clock = StageClock(deadlines)
        visitor = Visitor(endpoint, _NOTHING, HostKeys(), Offer(), clock, via=via)
        key = await clock.run(_fetch(visitor, deadlines))
    finally:
        await transport.close()
    if key is None:
        raise lost(Stage.HOST_KEY, "no host key was shown")
    public = " ".join(key.export_public_key().decode("ascii").split()[:2])
    return FetchedKey(endpoint.key_host, endpoint.key_port, key.get_algorithm(), key.get_fingerprint(), public)


async def _fetch(visitor: Visitor, deadlines: Deadlines) -> asyncssh.SSHKey | None:
    """The key that the far side has proved to hold. Any key will do, so it is taken as one trusted on first sight."""
    visitor.any_key = True
    connection = await open_connection(visitor, deadlines.connect_s, host_key_algorithms(visitor.pins), wait="kex")
    key = connection.get_server_host_key()
    connection.abort()
    await settle()
    return key
