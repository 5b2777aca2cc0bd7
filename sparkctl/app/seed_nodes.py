"""From nodes of the inventory to what their seeds say: names, MAC addresses and addresses come from labels."""

import ipaddress
import re
from collections.abc import Callable, Sequence

from sparkctl.airgap.seed_render import instance_id
from sparkctl.app import site_values as values
from sparkctl.errors import UsageError
from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.model.seed import NodeSeed
from sparkctl.model.site import Site

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def node_seeds(nodes: Sequence[Node], site: Site) -> list[NodeSeed]:
    """The seed of each node. Raises UsageError for a node of which too little is known, or two that would be one."""
    seeds = [_seed(node, site) for node in nodes]
    for what, key in (("MAC address", lambda seed: seed.mac), ("address", lambda seed: seed.address)):
        _require_unlike(seeds, what, key)
    _require_unlike(seeds, "serial", lambda seed: seed.serial)
    _require_unlike(seeds, "name", lambda seed: seed.fqdn.lower())
    return seeds


def _seed(node: Node, site: Site) -> NodeSeed:
    name = node.node_id
    hostname = name.split(".")[0]
    if not _LABEL.fullmatch(hostname):
        raise UsageError(
            f"{node.origin}: {name} cannot name a host: {hostname!r} is not 1 to 63 letters, digits and hyphens",
            hint="give the node another name in the inventory",
        )
    mac = _label(node, "mac", values.mac)
    if mac is None:
        raise UsageError(
            f"{node.origin}: {name} has no label `mac`, by which its seed finds its interface",
            hint="write `labels: {mac: 4c:bb:47:00:00:01}`; the address is on the label of the machine",
        )
    address, gateway = _label(node, "address", values.interface), _label(node, "gateway", values.address)
    gateway = gateway or site.network.gateway
    _require_reached(node, address, gateway)
    return NodeSeed(
        node_id=name,
        hostname=hostname,
        fqdn=name if "." in name else ".".join(part for part in (name, site.domain) if part),
        instance_id=instance_id(name, node.serial, site.revision),
        serial=node.serial,
        mac=mac,
        address=address,
        gateway=gateway,
        labels=dict(sorted(node.labels.items())),
    )


def _require_reached(node: Node, address: str | None, gateway: str | None) -> None:
    """Raise UsageError for a gateway that lies beyond itself: the node would have no route, and nobody to tell it."""
    if address is None or gateway is None:
        return
    network, hop = ipaddress.ip_interface(address).network, ipaddress.ip_address(gateway)
    if hop not in network and not (network.version == hop.version and hop.is_link_local):
        raise UsageError(
            f"{node.origin}: the gateway {gateway} of {node.node_id} is not in the network of its address {address}",
            hint="give the node a label `gateway`, or correct one of the two",
        )


def _label(node: Node, key: str, convert: Callable[[str], str]) -> str | None:
    text = node.labels.get(key)
    try:
        return None if text is None else convert(text)
    except ValueError as error:
        raise UsageError(
            f"{node.origin}: the label `{key}` of {node.node_id} {error}, not '{printable(text or '', 60)}'",
            hint="correct it in the inventory",
        ) from None


def _require_unlike(seeds: Sequence[NodeSeed], what: str, key: Callable[[NodeSeed], str | None]) -> None:
    seen: dict[str, str] = {}
    for seed in seeds:
        value = key(seed)
        if value is not None and value in seen:
            raise UsageError(
                f"{seen[value]} and {seed.node_id} have the same {what}, {printable(value, 60)}",
                hint="correct it in the inventory",
            )
        if value is not None:
            seen[value] = seed.node_id
