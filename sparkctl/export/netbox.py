"""Objects for NetBox's REST API: what to look for, where, and what it should be.

Each line is one object: `endpoint`, `lookup` (the query that finds it when it is there) and `body`. An object stands
behind those it refers to; what several nodes share (maker, type, role, platform, tag) is written once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sparkctl.export.fields import Field, Section, Told, constant, nested, pick
from sparkctl.export.format import Format, line
from sparkctl.export.part import Part
from sparkctl.export.remarks import description
from sparkctl.export.subject import Subject

ROLE = {"name": "DGX Spark", "slug": "dgx-spark"}
SIMULATED = {"name": "simulated", "slug": "simulated"}
DEVICE = "/api/dcim/devices/"
_ENABLED_KINDS = {"ethernet", "wifi", "infiniband"}
_TYPES = {"bridge": "bridge", "bond": "lag", "wifi": "other-wireless"}
"""Interface types; a cage of ConnectX-7 takes many cables, so that ethernet is `other` but for the one at 10 Gbit/s."""
_FAST = {10_000: "10gbase-t"}
NAME, SERIAL, TEXT = 64, 50, 200
"""How long NetBox's fields may be."""


def slug(text: str) -> str:
    """A text as NetBox writes it in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:100] or "unnamed"


def cut(text: str | None, limit: int) -> str | None:
    """A text as long as a field may be; one that is longer ends with an ellipsis, for it is not whole."""
    return text if text is None or len(text) <= limit else f"{text[: limit - 1]}…"


def _whole(text: str | None, limit: int) -> str | None:
    """An identifier; one that is too long is left out, since a part of it identifies something else."""
    return text if text is not None and len(text) <= limit else None


def _named(text: str | None) -> dict[str, str] | None:
    return {"name": text[:100], "slug": slug(text)} if text else None


def _maker(subject: Subject) -> dict[str, str] | None:
    return _named(subject.fact("identity.smbios.sys_vendor"))


def _model(subject: Subject) -> dict[str, Any] | None:
    maker, product = _maker(subject), subject.fact("identity.smbios.product_name")
    if maker is None or product is None:
        return None
    return {"manufacturer": maker, "model": product[:100], "slug": slug(f"{maker['name']} {product}")}


def _platform(subject: Subject) -> dict[str, str] | None:
    version = subject.fact("os.dgx.version")
    return _named(f"DGX OS {version}" if version else subject.fact("os.distribution.pretty_name"))


def _tags(subject: Subject) -> list[dict[str, str]] | None:
    return [SIMULATED] if subject.simulated else None


def _rack(subject: Subject) -> dict[str, str] | None:
    return {"name": subject.node.rack} if subject.node.rack and subject.node.site else None


def _interface_type(about: Mapping[str, Any]) -> str:
    kind = str(about.get("kind"))
    if kind == "ethernet":
        return _FAST.get(about.get("speed_mbit_s") or 0, "other")
    return _TYPES.get(kind, "other" if kind == "infiniband" else "virtual")


def _kilobits(about: Mapping[str, Any]) -> int | None:
    speed = about.get("speed_mbit_s")
    return None if speed is None else speed * 1000


def _duplex(about: Mapping[str, Any]) -> str | None:
    return about.get("duplex") if about.get("duplex") in ("half", "full") else None


def _mac_words(part: Part) -> str | None:
    mac = part.about.get("permanent_mac")
    return f"permanent MAC {mac}" if mac else None


DEVICE_FIELDS: tuple[Field[Subject], ...] = (
    Field("name", "(inventory) name", lambda s: _whole(s.name, NAME), "left out beyond 64 characters"),
    Field(
        "device_type", "identity.smbios.sys_vendor, identity.smbios.product_name", _model,
        "an object of its own comes before",
    ),
    constant("role", ROLE),
    Field("site", "(inventory) site", lambda s: _named(s.node.site), "NetBox makes no device without one"),
    Field("rack", "(inventory) rack", _rack),
    Field("platform", "os.dgx.version", _platform, "else `os.distribution.pretty_name`"),
    Field(
        "serial", "identity.serial", lambda s: _whole(s.key.value, SERIAL) if s.key.is_serial else None,
        "the key, when it is a serial",
    ),
    Field("asset_tag", "(inventory) labels.asset_tag", lambda s: _whole(s.node.labels.get("asset_tag"), SERIAL)),
    Field("description", "(key)", lambda s: f"sparkctl {s.uuid}"),
    Field("comments", "(several)", description, "simulated, key, last visit, and what is not known"),
    Field("tags", "(inventory) or (last visit)", _tags, "`simulated` for a simulated node"),
)  # fmt: skip
INTERFACE_FIELDS: tuple[Field[Part], ...] = (
    Field("device.name", "(inventory) name", lambda p: p.subject.name[:NAME]),
    Field("name", "network.interfaces", lambda p: _whole(p.name, NAME)),
    Field("type", "network.interfaces.*.kind", lambda p: _interface_type(p.about), "by speed, else `other`"),
    Field("enabled", "network.interfaces.*.up", lambda p: p.about.get("up")),
    Field("mtu", "network.interfaces.*.mtu", lambda p: p.about.get("mtu")),
    Field("speed", "network.interfaces.*.speed_mbit_s", lambda p: _kilobits(p.about), "kbit/s; absent without a link"),
    Field("duplex", "network.interfaces.*.duplex", lambda p: _duplex(p.about)),
    Field("description", "network.interfaces.*.permanent_mac", _mac_words),
)
ADDRESS_FIELDS: tuple[Field[Part], ...] = (
    Field("address", "network.addresses", lambda p: p.name),
    Field("status", "network.addresses.*.*.dynamic", lambda p: "dhcp" if p.about.get("dynamic") else "active"),
    Field(
        "description",
        "(inventory) name, network.addresses", lambda p: f"{p.subject.name} {p.about['interface']}"[:TEXT],
    ),
)  # fmt: skip
ITEM_FIELDS: tuple[Field[Part], ...] = (
    Field("device.name", "(inventory) name", lambda p: p.subject.name[:NAME]),
    Field("name", "hardware.nvme, hardware.gpus", lambda p: p.name[:NAME]),
    Field("part_id", "hardware.nvme.*.model, hardware.gpus.*.name", lambda p: _whole(p.about.get("part"), 50)),
    Field("serial", "hardware.nvme.*.serial, identity.gpus", lambda p: _whole(p.about.get("serial"), SERIAL)),
    constant("discovered", value=True),
    Field("description", "firmware.drives, firmware.gpus.*.vbios", lambda p: p.about.get("firmware")),
)
_OBJECT = (
    Told("endpoint", "(kind of object)", "POST there; with what `lookup` finds, PATCH `endpoint` and its id"),
    Told("lookup", "(kind of object)", "the query that finds the object when NetBox has it"),
    Told("body", "(see below)"),
)


def _object(endpoint: str, lookup: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    return {"endpoint": endpoint, "lookup": dict(lookup), "body": dict(body)}


def shared_objects(subject: Subject) -> Iterator[dict[str, Any]]:
    """What a node refers to and others may refer to as well, each with its slug."""
    if subject.simulated:
        yield _object("/api/extras/tags/", {"slug": SIMULATED["slug"]}, SIMULATED)
    yield _object("/api/dcim/device-roles/", {"slug": ROLE["slug"]}, {**ROLE, "color": "607d8b"})
    if maker := _maker(subject):
        yield _object("/api/dcim/manufacturers/", {"slug": maker["slug"]}, maker)
    if model := _model(subject):
        yield _object("/api/dcim/device-types/", {"slug": model["slug"]}, model)
    if platform := _platform(subject):
        yield _object("/api/dcim/platforms/", {"slug": platform["slug"]}, platform)


def own_objects(subject: Subject) -> Iterator[dict[str, Any]]:
    """The device, then its interfaces, addresses and parts."""
    by_serial = subject.key.is_serial and len(subject.key.value) <= SERIAL
    lookup = {"serial": subject.key.value} if by_serial else {"name": subject.name}
    yield _object(DEVICE, lookup, nested(DEVICE_FIELDS, subject))
    for part in interfaces(subject):
        body = nested(INTERFACE_FIELDS, part)
        yield _object("/api/dcim/interfaces/", {"device": subject.name, "name": part.name}, body)
    for name, ip, prefix in subject.addresses:
        about = pick(subject.members("network.addresses"), name, f"{ip}/{prefix}") or {}
        part = Part(subject, f"{ip}/{prefix}", {**about, "interface": name})
        yield _object("/api/ipam/ip-addresses/", {"address": part.name}, nested(ADDRESS_FIELDS, part))
    for part in parts(subject):
        body = nested(ITEM_FIELDS, part)
        yield _object("/api/dcim/inventory-items/", {"device": subject.name, "name": body["name"]}, body)


def interfaces(subject: Subject) -> Iterator[Part]:
    """The interfaces of adapters, and bonds and bridges of the administrator's own."""
    for name, about in sorted(subject.members("network.interfaces").items()):
        if about.get("kind") in _ENABLED_KINDS | {"bond", "bridge"} and len(name) <= NAME:
            yield Part(subject, name, about)


def parts(subject: Subject) -> Iterator[Part]:
    """Drives and GPUs."""
    for name, about in sorted(subject.members("hardware.nvme").items()):
        firmware = subject.members("firmware.drives").get(name)
        known = {"part": about.get("model"), "serial": about.get("serial"), "firmware": _firmware(firmware)}
        yield Part(subject, name, known)
    for address, about in sorted(subject.members("hardware.gpus").items()):
        vbios = pick(subject.members("firmware.gpus"), address, "vbios")
        serial = subject.members("identity.gpus").get(address)
        yield Part(
            subject, f"GPU {address}", {"part": about.get("name"), "serial": serial, "firmware": _firmware(vbios)}
        )


def _firmware(version: Any) -> str | None:
    return f"firmware {version}" if version else None


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    written: set[str] = set()
    for subject in nodes:
        lines = [text for text in map(line, shared_objects(subject)) if text not in written]
        written.update(lines)
        yield "".join([*lines, *map(line, own_objects(subject))])


NETBOX = Format(
    name="netbox",
    title="objects for NetBox's REST API",
    target="NetBox 4.2 REST API",
    sections=(
        Section("A line", "object", _OBJECT),
        Section("Device (`/api/dcim/devices/`)", "node", DEVICE_FIELDS),
        Section("Interface (`/api/dcim/interfaces/`)", "interface", INTERFACE_FIELDS),
        Section("IP address (`/api/ipam/ip-addresses/`)", "address", ADDRESS_FIELDS),
        Section("Inventory item (`/api/dcim/inventory-items/`)", "drive and GPU", ITEM_FIELDS),
    ),
    pieces=_pieces,
)
