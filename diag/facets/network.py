"""How the machine is connected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from diag.nodekit.facet import Facet, Look
from diag.nodekit.interface_list import bonds, bridges, has_wireless, interfaces
from diag.nodekit.ip_addresses import IP, IpLink, ip_links
from diag.nodekit.machine import Machine
from diag.nodekit.netdev import NET, ROUTES_V4
from diag.nodekit.printable import one_line
from diag.nodekit.problems import MissingTool, Unevaluated
from diag.nodekit.proxies import ENVIRONMENT, apt_files, apt_proxies, environment_proxies
from diag.nodekit.rdma import INFINIBAND, cages, rdma
from diag.nodekit.routing import OWN, resolver, routes
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name

FACET = Facet(title="Network")
DROPS = ("rdma", "addresses", "interfaces")
IW = ("iw", "reg", "get")
REGDOM_HINT = "/sys/module/cfg80211/parameters/ieee80211_regdom"
BY_IP = tuple(f"interfaces.*.{field}" for field in ("altnames", "parent", "permanent_mac", "vlan"))
COUNTRY = re.compile(r"^country ([A-Z0-9]{2}):", re.MULTILINE)


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    told = look.at("addresses", lambda: ip_links(machine), " ".join(IP), also=BY_IP)
    found = look.at("interfaces", lambda: interfaces(look, told or {}), NET, also=("addresses", "bridges.*.members"))
    leases = {name(at): link.lease for at, link in (told or {}).items() if name(at) in (found or {})}
    look.volatile["leases_s"] = {at: lease for at, lease in leases.items() if lease is not None}
    return {
        "interfaces": found,
        "addresses": None if told is None or found is None else _addresses(told, found),
        "routes": look.at("routes", lambda: routes(machine), ROUTES_V4),
        "resolver": look.at("resolver", lambda: resolver(machine), OWN),
        "bonds": look.at("bonds", lambda: bonds(look), NET),
        "bridges": look.at("bridges", lambda: bridges(look, found or {}), NET),
        "rdma": look.at("rdma", lambda: rdma(look), INFINIBAND),
        "connectx_cages": look.at("connectx_cages", lambda: cages(machine)),
        "wifi_regulatory_domain": look.at("wifi_regulatory_domain", lambda: _regulatory_domain(machine), " ".join(IW)),
        "proxies": _proxies(look),
    }


def _addresses(told: Mapping[str, IpLink], found: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses by interface, without those that only the machine itself can reach, and those of containers alone."""
    kept = {}
    for interface, link in told.items():
        described = found.get(name(interface))
        unwanted = {"host"} if described is None or described["kind"] != "container" else {"host", "link"}
        addresses = {at: one for at, one in link.addresses.items() if one["scope"] not in unwanted}
        if described is not None and addresses:
            kept[name(interface)] = addresses
    return kept


def _regulatory_domain(machine: Machine) -> str | None:
    """The country whose rules the radio obeys (`00`: the world's), None without a radio."""
    if not has_wireless(machine):
        return None
    try:
        ran = machine.run(IW, seconds=1.0)
    except MissingTool:
        hint = (machine.read_or_none(REGDOM_HINT) or "").strip()
        if not re.fullmatch(r"[A-Z0-9]{2}", hint) or hint == "00":
            raise  # a hint that nobody gave does not tell what the radio obeys
        return hint
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.IO_ERROR, f"iw ended with {ran.exit_status}: {one_line(ran.stderr)}")
    match = COUNTRY.search(ran.stdout)
    if match is None:
        raise ValueError("iw names no country")
    return match[1]


def _proxies(look: Look) -> dict[str, str]:
    machine = look.machine
    found: dict[str, str] = {}
    for path in look.at("proxies", lambda: apt_files(machine)) or []:
        found.update(look.at("proxies", partial(apt_proxies, machine, path), path) or {})
    found.update(look.at("proxies", lambda: environment_proxies(machine), ENVIRONMENT) or {})
    return found
