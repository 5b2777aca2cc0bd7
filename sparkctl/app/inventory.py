"""Look at an inventory: list it, check it, show one node, pin host keys."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.app.places import Places
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.inventory.load import check_fleet, load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.inventory import Node, Problem
from sparkctl.transport.fetch import FetchedKey, fetch_host_key
from sparkctl.transport.hostkeys import HostKeys, pin
from sparkctl.transport.seam import TransportError


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host key that a node showed, and whether another one is pinned for it already."""

    node: Node
    key: FetchedKey
    pinned: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        """Whether nothing is pinned yet."""
        return not self.pinned

    @property
    def is_known(self) -> bool:
        """Whether this very key is pinned."""
        return self.key.fingerprint in self.pinned


def nodes(places: Places, selector: str) -> list[Node]:
    """The selected nodes; raises UsageError."""
    return select(load_fleet(places.fleet), selector)


def problems(places: Places) -> list[Problem]:
    """Everything that is wrong with the inventory."""
    return check_fleet(places.fleet)


def candidates(places: Places, selector: str) -> Iterator[Candidate]:
    """Ask each selected node for its host key, one after the other: a person looks at each of them.

    Raises SparkctlError for a node that does not show one.
    """
    settings, keys = places.transport_settings, HostKeys()
    for node in nodes(places, selector):
        if node.transport == "local":
            continue
        try:
            key = asyncio.run(fetch_host_key(node, Limits().deadlines, settings))
        except TransportError as error:
            raise SparkctlError(
                f"{node.node_id}: {error.stage.value}.{error.cause.value}: {error.message}", hint=error.hint
            ) from error
        files = [*node.ssh.known_hosts_files, *settings.known_hosts_files, settings.pins_file]
        known = keys.lookup(key.host, key.port, files)
        yield Candidate(node, key, tuple(trusted.fingerprint for trusted in known.trusted))


def accept(places: Places, candidate: Candidate, fingerprint: str | None) -> None:
    """Pin a candidate's key; raises RefusedError when another is pinned or `fingerprint` is not the key's."""
    if fingerprint is not None and fingerprint != candidate.key.fingerprint:
        raise RefusedError(
            f"{candidate.node.node_id} shows {candidate.key.fingerprint}, not {fingerprint}",
            hint="somebody is in between, or the fingerprint belongs to another machine: pin nothing until you know",
        )
    if candidate.pinned and not candidate.is_known:
        raise RefusedError(
            f"{candidate.node.node_id} shows {candidate.key.fingerprint}, pinned is {', '.join(candidate.pinned)}",
            hint="if the machine was reinstalled, remove the old line first: ssh-keygen -R HOST -f FILE",
        )
    places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    pin(places.transport_settings.pins_file, candidate.key.host, candidate.key.port, candidate.key.public_key)


def one_node(places: Places, node_id: str) -> Node:
    """One node by its exact name; raises UsageError."""
    found = [node for node in load_fleet(places.fleet).nodes if node.node_id == node_id]
    if not found:
        raise UsageError(f"{places.fleet} has no node {node_id!r}", hint="see: sparkctl inventory list")
    return found[0]
