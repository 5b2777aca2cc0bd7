"""The host key of a node, fetched to be shown to a person and then pinned."""

from dataclasses import dataclass
from typing import Any, cast

import asyncssh

from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Stage
from sparkctl.transport.credentials import Offer
from sparkctl.transport.faults import lost
from sparkctl.transport.hostkeys import HostKeys, Pins
from sparkctl.transport.route import Router
from sparkctl.transport.seam import Deadlines
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh import AsyncsshTransport, drop, host_key_algorithms
from sparkctl.transport.ssh_client import Dialer, Visitor, explain
from sparkctl.transport.stages import StageClock


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
    pins = Pins(endpoint.key_host, (), (), ())
    clock = StageClock(deadlines)
    visitor = Visitor(endpoint, pins, HostKeys(), Offer(), clock)
    opened = await AsyncsshTransport(settings).open_jumps(node, deadlines)
    try:
        key = await clock.run(
            _fetch(visitor, Dialer(opened[-1] if opened else None, visitor.greeting, deadlines.connect_s))
        )
    finally:
        await drop(opened)
    if key is None:
        raise lost(Stage.HOST_KEY, "no host key was shown")
    public = " ".join(key.export_public_key().decode("ascii").split()[:2])
    return FetchedKey(endpoint.key_host, endpoint.key_port, key.get_algorithm(), key.get_fingerprint(), public)


async def _fetch(visitor: Visitor, dialer: Dialer) -> asyncssh.SSHKey | None:
    try:
        return await asyncssh.get_server_host_key(
            visitor.endpoint.host,
            visitor.endpoint.port,
            tunnel=cast("Any", dialer),
            config=None,
            options=visitor.endpoint.options,
            server_host_key_algs=host_key_algorithms(visitor.pins),
        )
    except (asyncssh.Error, OSError, ValueError) as error:
        raise explain(visitor, error) from None
