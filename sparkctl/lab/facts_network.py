"""What the network facet of a simulated node needs beyond what the checks read."""

import json
from typing import Any

from sparkctl.lab.devices import ETHERNET, WIRELESS, Port, ports
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

IP = ("ip", "-json", "-details", "address", "show")
IW = ("iw", "reg", "get")
ALTNAMES = {ETHERNET: ["enP7p1s0"], WIRELESS: ["wlP9p1s0"]}
LEASE_SECONDS = 43_200
DOCKER = "docker0"
DOCKER_NETWORK = ("172.17.0.1", 16)


def add_network(tree: Tree, node: NodeModel) -> None:
    """Addresses and other names as `ip` prints them, Docker's bridge, and what else sysfs says of interfaces."""
    found = ports(node)
    for index, port in enumerate(found, 2):
        _port(tree, port, index)
    tree.put("/sys/devices/virtual/net/lo", addr_assign_type=0, ifindex=1, iflink=1)
    here = f"/sys/devices/virtual/net/{DOCKER}"
    tree.put(
        here, operstate="down", carrier=0, speed=-1, mtu=1500, address=node.mac(64), flags="0x1003", type=1,
        addr_assign_type=3, ifindex=len(found) + 2, iflink=len(found) + 2, uevent=f"DEVTYPE=bridge\nINTERFACE={DOCKER}",
    )  # fmt: skip
    tree.put(f"{here}/bridge", stp_state=0, vlan_filtering=0)
    tree.folders.append(f"{here}/brif")
    tree.links[f"/sys/class/net/{DOCKER}"] = f"../../devices/virtual/net/{DOCKER}"
    tree.record(IP, json.dumps([_loopback(), *(_link(port) for port in found), _docker()]) + "\n")
    tree.record(IW, "global\ncountry 00: DFS-UNSET\n\t(2402 - 2472 @ 40), (N/A, 20), (N/A)\n")


def _port(tree: Tree, port: Port, index: int) -> None:
    device = f"/sys/devices/pci{port.address[:4]}:00/{port.address[:4]}:00:00.0/{port.address}"
    here = f"{device}/net/{port.name}"
    kind = "DEVTYPE=wlan\n" if port.wireless else ""
    tree.put(here, addr_assign_type=0, ifindex=index, iflink=index, uevent=f"{kind}INTERFACE={port.name}")
    tree.put(here, duplex="full" if port.up else "unknown")
    if port.rdma is not None:
        guid = port.mac.replace(":", "")
        guid = f"{guid[:6]}fffe{guid[6:]}"
        groups = ":".join(guid[at : at + 4] for at in range(0, 16, 4))
        tree.put(f"{device}/infiniband/{port.rdma}", node_guid=groups)


def _loopback() -> dict[str, Any]:
    return {"ifindex": 1, "ifname": "lo", "link_type": "loopback", "addr_info": [_address("127.0.0.1", 8, "host")]}


def _link(port: Port) -> dict[str, Any]:
    dynamic = {"dynamic": True, "valid_life_time": LEASE_SECONDS} if port.name == ETHERNET else {}
    return {
        "ifname": port.name,
        "link_type": "ether",
        "address": port.mac,
        "altnames": ALTNAMES.get(port.name, []),
        "addr_info": [] if port.ip is None else [_address(port.ip, 24, "global") | dynamic],
    }


def _docker() -> dict[str, Any]:
    return {
        "ifname": DOCKER,
        "link_type": "ether",
        "linkinfo": {"info_kind": "bridge", "info_data": {"stp_state": 0}},
        "addr_info": [_address(*DOCKER_NETWORK, "global")],
    }


def _address(local: str, prefix: int, scope: str) -> dict[str, Any]:
    return {"family": "inet", "local": local, "prefixlen": prefix, "scope": scope, "valid_life_time": 2**32 - 1}
