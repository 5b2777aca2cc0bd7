"""Default routes with their gateways, and the resolvers that are really asked."""

from __future__ import annotations

import ipaddress
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.netdev import ANYWHERE_V6, ROUTE_REJECT, ROUTE_UP, ROUTES_V4, ROUTES_V6
from diag.nodekit.words import name, words

UPSTREAM, OWN = "/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"
STUBS = frozenset({"127.0.0.53", "127.0.0.54"})  # systemd-resolved listens there
MAX_ROUTES = 64
COLUMNS_V4, COLUMNS_V6 = 8, 10


def routes(machine: Machine) -> dict[str, Any]:
    """Default routes by family and interface (`IPv4 enP7s7`), the preferred first; raises OSError, ValueError."""
    found = [*parse_v4(machine.read(ROUTES_V4)), *parse_v6(machine.read_or_none(ROUTES_V6) or "")]
    kept: dict[str, Any] = {}
    for route in sorted(found, key=lambda route: (route["family"], route["metric"]))[:MAX_ROUTES]:
        kept[name(f"{route['family']} {route['interface']}", kept)] = route
    return kept


def parse_v4(text: str) -> list[dict[str, Any]]:
    """Default routes of /proc/net/route, which writes addresses as numbers of the processor's byte order."""
    rows = [line.split() for line in text.splitlines()[1:] if line.strip()]
    return [
        _route("IPv4", row[0], _gateway_v4(row[2]), int(row[6]))
        for row in rows
        if len(row) >= COLUMNS_V4 and not int(row[1], 16) and not int(row[7], 16) and _leads_on(row[3])
    ]


def parse_v6(text: str) -> list[dict[str, Any]]:
    """Default routes of /proc/net/ipv6_route."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return [
        _route("IPv6", row[9], _gateway_v6(row[4]), int(row[5], 16))
        for row in rows
        if len(row) >= COLUMNS_V6 and row[0] == ANYWHERE_V6 and not int(row[1], 16) and _leads_on(row[8])
        if row[9] != "lo"
    ]


def _leads_on(flags: str) -> bool:
    return bool(int(flags, 16) & ROUTE_UP) and not int(flags, 16) & ROUTE_REJECT


def _route(family: str, interface: str, gateway: str | None, metric: int) -> dict[str, Any]:
    return {"family": family, "interface": name(interface), "gateway": gateway, "metric": metric}


def _gateway_v4(text: str) -> str | None:
    # Every machine that runs this is little-endian.
    return str(ipaddress.IPv4Address(bytes.fromhex(text)[::-1])) if int(text, 16) else None


def _gateway_v6(text: str) -> str | None:
    return str(ipaddress.IPv6Address(bytes.fromhex(text))) if int(text, 16) else None


def resolver(machine: Machine) -> dict[str, Any] | None:
    """The name servers that are really asked, None where no file names any; raises OSError.

    systemd-resolved puts a stub into /etc/resolv.conf and lists those behind it in a file of its own.
    """
    own = parse_resolv(machine.read_or_none(OWN) or "")
    stub = bool(own["servers"]) and STUBS.issuperset(own["servers"])
    upstream = machine.read_or_none(UPSTREAM) if stub else None
    if upstream is not None:
        return {"source": UPSTREAM, "stub": True, **parse_resolv(upstream)}
    return {"source": OWN, "stub": stub, **own} if own["servers"] else None


def parse_resolv(text: str) -> dict[str, list[str]]:
    """Servers and search domains of a resolv.conf, sorted; of several search lines the last one counts."""
    servers: list[str] = []
    search: list[str] = []
    for line in text.splitlines():
        keyword, *rest = line.split()[:32] or [""]
        if keyword == "nameserver":
            servers += rest[:1]
        elif keyword in ("search", "domain"):
            search = rest
    return {"servers": words(servers), "search": words([domain for domain in search if domain != "."])}
