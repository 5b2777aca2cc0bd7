"""Look at an inventory: list it, check it, show one node, pin host keys."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.app.node_states import differences
from sparkctl.app.places import Places
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.inventory.load import check_fleet, load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.inventory import Fleet, Node, Problem
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Severity
from sparkctl.store.location import make_state_dir
from sparkctl.transport.fetch import FetchedKey, fetch_host_key
from sparkctl.transport.hostkeys import HostKeys, pin, pin_name
from sparkctl.transport.seam import TransportError


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host key that a node showed, with the fingerprints that are pinned and revoked for it."""

    node: Node
    key: FetchedKey
    pinned: tuple[str, ...]
    revoked: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether this very key is pinned."""
        return self.key.fingerprint in self.pinned


def selection(places: Places, selector: str) -> Fleet:
    """The selected part of the fleet; raises UsageError."""
    fleet = load_fleet(places.fleet)
    return Fleet(nodes=select(fleet, selector), sources=fleet.sources)


def problems(places: Places) -> list[Problem]:
    """Everything that is wrong with the inventory, and where it disagrees with the ledger on the state of a node."""
    found = check_fleet(places.fleet)
    if any(problem.severity is Severity.ERROR for problem in found):
        return found
    try:
        return [*found, *differences(places)]
    except SparkctlError as error:  # of the store: the inventory itself was checked
        action = f"{error.hint[0].upper()}{error.hint[1:]}." if error.hint else "See: sparkctl ledger verify."
        message = f"whether the ledger agrees cannot be told: {error.message}"
        unread = Problem(
            severity=Severity.WARNING, file=printable(str(places.fleet), 1000), line=None, key=None,
            message=printable(message, 1000), action=printable(action, 1000),
        )  # fmt: skip
        return [*found, unread]


@dataclass(frozen=True, slots=True)
class Unreached:
    """A node that showed no host key, and why."""

    node: Node
    why: str


def candidates(places: Places, selector: str) -> Iterator[Candidate | Unreached]:
    """Ask each selected node for its host key, one after the other: a person looks at each of them."""
    settings, keys = places.transport_settings, HostKeys()
    for node in selection(places, selector).nodes:
        if node.transport == "local":
            yield Unreached(node, "its transport is local: there is no host key to pin")
            continue
        try:
            key = asyncio.run(fetch_host_key(node, Limits().deadlines, settings))
        except TransportError as error:
            yield Unreached(node, error.message)
            continue
        known = keys.lookup(
            key.host, key.port, [*node.ssh.known_hosts_files, *settings.known_hosts_files, settings.pins_file]
        )
        pinned, revoked = (tuple(pin.fingerprint for pin in pins) for pins in (known.trusted, known.revoked))
        yield Candidate(node, key, pinned, revoked)


def refuse_wrong(candidate: Candidate, fingerprint: str | None) -> None:
    """Raise RefusedError for a key that is revoked, is not the one expected, or would stand beside another one."""
    name, shown = candidate.node.node_id, candidate.key.fingerprint
    if shown in candidate.revoked:
        raise RefusedError(f"{name} shows {shown}, which is revoked", hint="give the machine a new host key")
    if fingerprint is not None and fingerprint != shown:
        raise RefusedError(
            f"{name} shows {shown}, not {fingerprint}",
            hint="somebody is in between, or the fingerprint belongs to another machine: pin nothing until you know",
        )
    if candidate.pinned and not candidate.is_known:
        raise RefusedError(
            f"{name} shows {shown}, pinned is {', '.join(candidate.pinned)}",
            hint="if the machine was reinstalled, first remove the old line: ssh-keygen -R "
            f"'{pin_name(candidate.key.host, candidate.key.port)}' -f KNOWN_HOSTS_FILE",
        )


def accept(places: Places, candidate: Candidate) -> None:
    """Pin a candidate's key in the state folder."""
    make_state_dir(places.state)
    path = places.transport_settings.pins_file
    try:
        pin(path, candidate.key.host, candidate.key.port, candidate.key.public_key)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="make it a file that you may write"
        ) from error


def one_node(places: Places, node_id: str) -> Node:
    """One node by its exact name; raises UsageError."""
    found = [node for node in load_fleet(places.fleet).nodes if node.node_id == node_id]
    if not found:
        raise UsageError(f"{places.fleet} has no node {node_id!r}", hint="see: sparkctl inventory list")
    return found[0]
