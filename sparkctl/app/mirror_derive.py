"""Make a mirror.yaml of what a node has: its sources, the digests of its keyrings, and its pins, by its facts."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.airgap_files import told
from sparkctl.app.mirror_derive_keyring import FOLDER, Keyrings
from sparkctl.app.mirror_derive_record import Found
from sparkctl.app.mirror_derive_rest import ADDED, add_firmware, add_gaps
from sparkctl.app.mirror_derive_sources import add_sources
from sparkctl.app.mirror_derive_text import require_meant, text_of
from sparkctl.app.places import Places
from sparkctl.atomic_file import replace_file
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.problems import nearest
from sparkctl.model.durations import told_age
from sparkctl.model.facets.software import Software
from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.model.standing import KnownFacet
from sparkctl.store.store import Store

_FACETS = ("software", "firmware")


@dataclass(frozen=True, slots=True)
class Derived:
    """What was written; `facts_seen` is when the node was last seen to be so.

    `to_fill_in` are keys of the file that a person has to decide, `next_steps` command lines in their order.
    """

    path: Path
    node: str
    simulated: bool
    facts_seen: datetime
    age: str
    mirrors: list[str]
    pins: list[str]
    to_fill_in: list[str]
    not_covered: list[str]
    left_out: list[str]
    next_steps: list[str]


def derive(places: Places, node_id: str, out: Path, now: datetime) -> Derived:
    """Write a mirror.yaml that is not there yet; raises UsageError, RefusedError, and has written nothing then."""
    if os.path.lexists(out):
        raise UsageError(
            f"{out} is there already", hint="name another file with --out, compare the two, and keep your own words"
        )
    node = _node(places, node_id)
    known = _known(places, node_id)
    if "software" not in known:
        raise UsageError(
            f"the store in {places.state} has no software of {node_id}",
            hint=f"collect it: sparkctl collect {node_id} --facet software --facet firmware",
        )
    software = known["software"]
    data = software.document.get("data")
    if data is None or data.get("apt_sources") is None:
        raise UsageError(
            f"the sources of packages of {node_id} could not be read when it was asked",
            hint=f"sparkctl show {node_id} says why; then collect again",
        )
    found = _found(known)
    age = told_age(max((now - software.seen).total_seconds(), 0))
    heading = _heading(node, software.seen, age)
    text = text_of(found, heading)
    require_meant(text, found, heading)
    with told(out.parent):
        replace_file(out, text.encode("ascii"), 0o644)
    return Derived(
        path=out,
        node=node_id,
        simulated=node.simulated,
        facts_seen=software.seen.astimezone(UTC),
        age=age,
        mirrors=[entry.name for entry in found.entries],
        pins=[pin.name for pin in found.pins],
        to_fill_in=_to_fill_in(found),
        not_covered=found.not_covered,
        left_out=found.left_out,
        next_steps=_next_steps(found, node_id, out),
    )


def _node(places: Places, node_id: str) -> Node:
    nodes = {node.node_id: node for node in load_fleet(places.fleet).nodes}
    if node_id not in nodes:
        close = nearest(node_id, list(nodes))
        hint = f"did you mean: {', '.join(close)}" if close else "sparkctl inventory list has all names"
        raise UsageError(f"there is no node {printable(node_id, 80)!r} in the inventory", hint=hint)
    return nodes[node_id]


def _known(places: Places, node_id: str) -> dict[str, KnownFacet]:
    known: dict[str, KnownFacet] = {}
    with Store.open(places.state, create=False) as store:
        for facet in _FACETS:
            for held in store.held(facet):
                if node_id in held.since:
                    known[facet] = KnownFacet(held.since[node_id], held.seen[node_id], held.document)
    return known


def _found(known: Mapping[str, KnownFacet]) -> Found:
    document = known["software"].document
    software = Software.model_validate(document["data"])
    found = Found()
    add_sources(found, software, Keyrings(software, document))
    for add in ADDED:
        add(found, software)
    add_gaps(found, document)
    add_firmware(found, known["firmware"].document if "firmware" in known else None)
    return found


def _heading(node: Node, seen: datetime, age: str) -> list[str]:
    who = f"{node.node_id}, a SIMULATED node," if node.simulated else node.node_id
    return [
        f"Made of what {who} was seen to have at {seen.astimezone(UTC):%Y-%m-%d %H:%M}Z, {age} before.",
        "Logins that stood in addresses were left on the node: what wants one is not mirrored by this file.",
        "`signed_by_sha256` is what the node has: a keyring that came here otherwise, and is another one, is refused.",
    ]


def _to_fill_in(found: Found) -> list[str]:
    keys: list[str] = []
    for entry in found.entries:
        keys += [] if entry.keyring.sha256 else [f"apt.{entry.name}.signed_by_sha256"]
        keys += [f"apt.{entry.name}.sign_with"] if entry.flat else []
    return keys


def _next_steps(found: Found, node_id: str, out: Path) -> list[str]:
    """Command lines that bring the keyrings and look at the file."""
    beside = f"{out.parent / FOLDER}/"
    steps = [shlex.join(["mkdir", "-p", beside])] if found.entries else []
    for entry in found.entries:
        ring, place = entry.keyring, str(out.parent / entry.keyring.file)
        if ring.path is not None:
            steps.append(shlex.join(["scp", f"{node_id}:{ring.path}", place]))
        elif ring.command is not None:
            steps.append(f"{ring.command.replace('NODE', node_id, 1)} > {shlex.quote(place)}")
    steps.append(shlex.join(["sparkctl", "airgap", "mirror", "check", str(out)]))
    return list(dict.fromkeys(steps))
