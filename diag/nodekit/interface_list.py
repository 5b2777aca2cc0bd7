"""The network interfaces as facts: what each is, its hardware, its members, and the counters apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.folder import Folder, children, number
from diag.nodekit.ip_addresses import IpLink
from diag.nodekit.machine import Machine
from diag.nodekit.netdev import INTERFACE_UP, NET
from diag.nodekit.problems import NotApplicable
from diag.nodekit.words import bounded, name, word, words

ARPHRD_LOOPBACK, ARPHRD_INFINIBAND = 772, 32
PERMANENT = 0  # addr_assign_type of an address that the hardware brought (NET_ADDR_PERM)
MAX_INTERFACES = 512
MAX_KEPT = 128
# Bridges that container engines, Kubernetes networks and hypervisors make.
ENGINE_NAMES = re.compile(
    r"docker\w*|br-[0-9a-f]{12}|cni\d+|cni-.*|podman\d+|nerdctl\d+|flannel.*|cali.*|(lxc|lxd|vir)br.*"
)
DEVICE_TYPES = {"wlan": "wifi", "vlan": "vlan", "bridge": "bridge", "bond": "bond", "wireguard": "wireguard"}
COUNTERS = ("rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped")


def interfaces(look: Look, told: Mapping[str, IpLink]) -> dict[str, Any]:
    """Interfaces by name. Those of single containers come and go: they are counted in `look.volatile` only."""
    machine = look.machine
    found: dict[str, Any] = {}
    traffic: dict[str, Any] = {}
    passing = 0
    for interface in children(machine, NET, most=MAX_INTERFACES):
        key, link = name(interface), told.get(interface, IpLink())
        here = Folder(look, f"{NET}/{interface}", f"interfaces[{key}]")
        hidden = (f"addresses[{key}]", "bridges.*.members")
        kept_here = look.at(here.path, partial(_is_kept, here, link), here.where, also=hidden)
        passing += kept_here is False
        if kept_here:
            found[key] = look.at(here.path, partial(_interface, here, interface, link), here.where, also=hidden)
            traffic[key] = _counters(here)
    look.volatile["container_interfaces"] = passing
    kept = bounded(found, MAX_KEPT, "interfaces")
    look.volatile["traffic"] = traffic
    return kept


def _is_kept(here: Folder, link: IpLink) -> bool:
    """False for one that comes and goes; raises NotApplicable for a file such as bonding_masters, OSError."""
    if not here.has("flags") and not here.has("mtu"):
        raise NotApplicable("this is no interface")
    return not is_passing(here, link)


def is_passing(here: Folder, link: IpLink) -> bool:
    """Whether it is one end of a pair whose other end is in a container, or a tap of a virtual machine."""
    if link.kind is not None:
        return link.kind == "veth"
    machine = here.machine
    alone = machine.link_name(f"{here.where}/device") is None and not _device_type(here) and not here.has("tun_flags")
    return alone and number(machine, f"{here.where}/iflink") != number(machine, f"{here.where}/ifindex")


def _interface(here: Folder, interface: str, link: IpLink) -> dict[str, Any]:
    kind, flags = _kind(here, interface, link), here.number("up", "flags")
    return {
        "kind": kind,
        "up": None if flags is None else bool(flags & INTERFACE_UP),
        **({} if kind == "container" else _link_layer(here, link)),
        "mtu": here.number("mtu"),
        "driver": here.link("driver", "device/driver"),
        "device": here.link("device"),
        "master": here.link("master"),
        "altnames": link.altnames,
        "parent": link.parent,
        "vlan": link.vlan,
    }


def _link_layer(here: Folder, link: IpLink) -> dict[str, Any]:
    """What a bridge of containers is not asked for, because there it follows the containers that run."""
    mac, assigned = (
        _mac(here.text("mac", "address", also=("permanent_mac",))),
        here.number("permanent_mac", "addr_assign_type"),
    )
    return {
        "carrier": here.flag("carrier"),
        "mac": mac,
        "permanent_mac": _mac(link.permanent_mac) or (mac if assigned == PERMANENT and here.has("device") else None),
        "speed_mbit_s": here.number("speed_mbit_s", "speed") or None,
        "duplex": here.text("duplex"),
    }


def _kind(here: Folder, interface: str, link: IpLink) -> str:
    """One word of the model's; what nothing else names is `ethernet` with hardware and `virtual` without."""
    if here.has("wireless") or here.has("phy80211"):
        return "wifi"
    arp = here.number("kind", "type")
    if arp in (ARPHRD_LOOPBACK, ARPHRD_INFINIBAND):
        return "loopback" if arp == ARPHRD_LOOPBACK else "infiniband"
    kind = link.kind or _device_type(here)
    if kind in ("bridge", "vxlan", None) and ENGINE_NAMES.fullmatch(interface):
        return "container"
    for folder, word_for in (("bridge", "bridge"), ("bonding", "bond"), ("tun_flags", "tun")):
        if here.has(folder):
            return word_for
    if kind in DEVICE_TYPES:
        return DEVICE_TYPES[kind]
    return "ethernet" if here.has("device") else "virtual"


def _device_type(here: Folder) -> str | None:
    for line in (here.machine.read_or_none(f"{here.where}/uevent") or "").splitlines():
        key, _, kind = line.partition("=")
        if key == "DEVTYPE":
            return word(kind)
    return None


def _mac(text: str | None) -> str | None:
    return text.lower() if text is not None and text.strip("0:") else None


def _counters(here: Folder) -> dict[str, int | None]:
    counters: dict[str, int | None] = {which: here.number(which, f"statistics/{which}") for which in COUNTERS}
    return {**counters, "carrier_changes": here.number("carrier_changes")}


def bonds(look: Look) -> dict[str, Any]:
    """Bonds by name."""
    found = {}
    for interface in look.machine.names(NET):
        here = Folder(look, f"{NET}/{interface}/bonding", f"bonds[{name(interface)}]")
        if here.has("mode"):
            found[name(interface)] = {
                "mode": word((here.text("mode") or "").split(" ")[0]),
                "members": words((here.text("members", "slaves") or "").split()),
                "miimon_ms": here.number("miimon_ms", "miimon"),
                "lacp_rate": word((here.text("lacp_rate") or "").split(" ")[0]),
                "hash_policy": word((here.text("hash_policy", "xmit_hash_policy") or "").split(" ")[0]),
            }
    return found


def bridges(look: Look, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Bridges by name, with the members that are among the interfaces kept."""
    found = {}
    for interface in look.machine.names(NET):
        here = Folder(look, f"{NET}/{interface}", f"bridges[{name(interface)}]")
        if here.has("bridge"):
            members = (name(member) for member in look.machine.names(f"{here.where}/brif"))
            found[name(interface)] = {
                "members": sorted(member for member in members if member in kept),
                "stp": here.flag("stp", "bridge/stp_state"),
                "vlan_filtering": here.flag("vlan_filtering", "bridge/vlan_filtering"),
            }
    return found


def has_wireless(machine: Machine) -> bool:
    """Whether any interface is wireless."""
    here = [f"{NET}/{interface}" for interface in machine.names(NET)]
    return any(machine.exists(f"{at}/wireless") or machine.exists(f"{at}/phy80211") for at in here)
