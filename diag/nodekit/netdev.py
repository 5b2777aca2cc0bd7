"""Network interfaces from sysfs and default routes from /proc."""

from __future__ import annotations

from dataclasses import dataclass, field

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

NET = "/sys/class/net"
ROUTES_V4, ROUTES_V6 = "/proc/net/route", "/proc/net/ipv6_route"
COUNTERS = ("rx_packets", "tx_packets", "rx_errors", "tx_errors")
ROUTE_UP, ROUTE_REJECT = 0x1, 0x200
INTERFACE_UP = 0x1
ANYWHERE_V6 = "0" * 32
MAX_LOWER = 3  # a VLAN over a bridge over a bond is as deep as it gets


@dataclass(frozen=True)
class Route:
    """A default route; of several, the one with the least metric is taken."""

    interface: str
    family: str
    metric: int


@dataclass(frozen=True)
class Interface:
    """One network interface; None for what its driver does not tell (a closed interface has no carrier to read).

    `function` is the PCI address behind it, None for a virtual one. `speed` in Mbit/s.
    """

    name: str
    is_up: bool
    state: str
    carrier: bool | None
    speed: int | None
    mtu: int | None
    driver: str | None
    function: str | None
    wireless: bool
    carrier_changes: int | None
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Uplinks:
    """The default routes, best first, and the interfaces beneath each (a bridge's or bond's members, or itself)."""

    routes: tuple[Route, ...]
    interfaces: dict[str, Interface | None]
    beneath: dict[str, tuple[Interface, ...]]


def observe_uplinks(machine: Machine) -> Uplinks:
    """Read the default routes and the interfaces they use; raises OSError, ValueError."""
    routes = default_routes(machine)
    names = {route.interface for route in routes}
    return Uplinks(
        routes,
        {name: interface(machine, name) for name in names},
        {name: _beneath(machine, name) for name in names},
    )


def default_routes(machine: Machine) -> tuple[Route, ...]:
    """Default routes of both families, the preferred first; raises OSError when the kernel's table cannot be read."""
    routes = [_route_v4(line) for line in machine.read(ROUTES_V4).splitlines()[1:] if line.strip()]
    routes += [_route_v6(line) for line in (machine.read_or_none(ROUTES_V6) or "").splitlines() if line.strip()]
    found = [route for route in routes if route is not None]
    return tuple(sorted(found, key=lambda route: (route.family, route.metric)))


def interface(machine: Machine, name: str) -> Interface | None:
    """One interface, None when there is none of this name."""
    here = f"{NET}/{name}"
    if not machine.exists(here):
        return None
    speed, carrier = _integer(machine, f"{here}/speed"), _integer(machine, f"{here}/carrier")
    return Interface(
        name=name,
        is_up=bool(int(_text(machine, f"{here}/flags") or "0", 16) & INTERFACE_UP),
        state=_text(machine, f"{here}/operstate") or "unknown",
        carrier=None if carrier is None else carrier == 1,
        speed=speed if speed is not None and speed > 0 else None,
        mtu=_integer(machine, f"{here}/mtu"),
        driver=machine.link_name(f"{here}/device/driver"),
        function=machine.link_name(f"{here}/device"),
        wireless=machine.exists(f"{here}/wireless") or machine.exists(f"{here}/phy80211"),
        carrier_changes=_integer(machine, f"{here}/carrier_changes"),
        counters=_counters(machine, here),
    )


def interfaces(machine: Machine) -> tuple[Interface, ...]:
    """Every interface with hardware behind it; raises Unevaluated when the kernel lists no interface at all."""
    names = machine.names(NET)
    if not names:
        raise Unevaluated(UnknownReason.PRECONDITION, f"no interface is listed in {NET}")
    found = (interface(machine, name) for name in names if machine.exists(f"{NET}/{name}/device"))
    return tuple(one for one in found if one is not None)


def _beneath(machine: Machine, name: str, depth: int = MAX_LOWER) -> tuple[Interface, ...]:
    lower = [entry[len("lower_") :] for entry in machine.names(f"{NET}/{name}") if entry.startswith("lower_")]
    if not lower or depth == 0:
        own = interface(machine, name)
        return () if own is None else (own,)
    return tuple(one for member in lower for one in _beneath(machine, member, depth - 1))


def _route_v4(line: str) -> Route | None:
    name, destination, _, flags, _, _, metric, mask, *_ = line.split()
    if int(destination, 16) or int(mask, 16) or not int(flags, 16) & ROUTE_UP or int(flags, 16) & ROUTE_REJECT:
        return None
    return Route(name, "IPv4", int(metric))


def _route_v6(line: str) -> Route | None:
    destination, prefix, _, _, _, metric, _, _, flags, name = line.split()
    if destination != ANYWHERE_V6 or int(prefix, 16) or name == "lo":
        return None
    if not int(flags, 16) & ROUTE_UP or int(flags, 16) & ROUTE_REJECT:
        return None
    return Route(name, "IPv6", int(metric, 16))


def _counters(machine: Machine, here: str) -> dict[str, int]:
    values = {name: _integer(machine, f"{here}/statistics/{name}") for name in COUNTERS}
    return {name: value for name, value in values.items() if value is not None}


def _integer(machine: Machine, path: str) -> int | None:
    text = _text(machine, path)
    return None if text is None else int(text)


def _text(machine: Machine, path: str) -> str | None:
    # The carrier of a closed interface and the speed of one without a link answer EINVAL: no value.
    try:
        return (machine.read_or_none(path) or "").strip() or None
    except PermissionError:
        raise
    except OSError:
        return None
