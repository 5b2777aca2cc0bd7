"""What `ip` tells of the interfaces and sysfs does not: addresses, other names, permanent MAC, kind."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, word, words

IP = ("ip", "-json", "-details", "address", "show")
IP_SECONDS = 2.0
IP_BYTES = 2 * 1024 * 1024
FOR_EVER = 2**32 - 1
MAX_VLAN = 4095
MAX_ADDRESSES = 256  # of one interface


@dataclass(frozen=True)
class IpLink:
    """One interface as `ip` tells it; `lease` is how long its dynamic IPv4 address is still valid, in seconds."""

    kind: str | None = None
    permanent_mac: str | None = None
    altnames: list[str] = field(default_factory=list)
    parent: str | None = None
    vlan: int | None = None
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)
    lease: int | None = None


def ip_links(machine: Machine) -> dict[str, IpLink]:
    """Every interface by name; raises MissingTool, TimeoutError, Unevaluated, ValueError."""
    ran = machine.run(IP, seconds=IP_SECONDS, limit=IP_BYTES)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.IO_ERROR, f"ip ended with {ran.exit_status}: {one_line(ran.stderr)}")
    return parse_ip(ran.stdout)


def parse_ip(text: str) -> dict[str, IpLink]:
    """The JSON of `ip address`; raises ValueError when it is something else."""
    try:
        listed = json.loads(text)
    except RecursionError as error:
        raise ValueError("the answer of ip is nested too deeply") from error
    if not isinstance(listed, list):
        raise ValueError("ip does not answer with a list")  # noqa: TRY004 - bad text from a tool is a ValueError
    return {entry["ifname"]: _link(entry) for entry in listed if isinstance(_member(entry, "ifname"), str)}


def _link(entry: Mapping[str, Any]) -> IpLink:
    info = _member(entry, "linkinfo")
    vlan = _member(_member(info, "info_data"), "id")
    altnames = _member(entry, "altnames")
    found = [one for one in _list(_member(entry, "addr_info")) if isinstance(_member(one, "local"), str)]
    return IpLink(
        kind=_text(_member(info, "info_kind")),
        permanent_mac=_text(_member(entry, "permaddr")),
        altnames=words([one for one in _list(altnames) if isinstance(one, str)]),
        parent=_text(_member(entry, "link")),
        vlan=vlan if isinstance(vlan, int) and 0 <= vlan <= MAX_VLAN else None,
        addresses=dict(_address(one) for one in found[:MAX_ADDRESSES] if _member(one, "temporary") is not True),
        lease=_lease(found),
    )


def _address(one: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    prefix = _member(one, "prefixlen")
    address = ipaddress.ip_interface(f"{one['local']}/{prefix if isinstance(prefix, int) else ''}".rstrip("/"))
    described = {
        "family": "IPv4" if address.version == 4 else "IPv6",
        "scope": _text(_member(one, "scope")),
        "dynamic": _member(one, "dynamic") is True,
    }
    return name(address.with_prefixlen), described


def _lease(found: list[Any]) -> int | None:
    given = [one for one in found if _member(one, "dynamic") is True and ":" not in one["local"]]
    left = [_member(one, "valid_life_time") for one in given]
    return min((seconds for seconds in left if isinstance(seconds, int) and 0 <= seconds < FOR_EVER), default=None)


def _member(part: Any, key: str) -> Any:
    return part.get(key) if isinstance(part, dict) else None


def _list(part: Any) -> list[Any]:
    return part if isinstance(part, list) else []


def _text(part: Any) -> str | None:
    return word(part) if isinstance(part, str) else None
