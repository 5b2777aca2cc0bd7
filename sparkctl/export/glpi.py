"""Inventories in GLPI's own JSON, one for each node, as the endpoint /front/inventory.php takes them."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkctl import __version__
from sparkctl.export.fields import Field, Section, constant, nested, pick
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.part import Part, members
from sparkctl.export.remarks import description, recency
from sparkctl.export.subject import Subject
from sparkctl.model.facets.difference import Gaps
from sparkctl.model.facets.paths import from_text

MIB = 1024 * 1024
_CHASSIS = {"3": "Desktop", "17": "Main Server Chassis"}
"""Chassis types of SMBIOS in the words that GLPI's own agent takes for them."""
_KINDS = {"ethernet": "ethernet", "wifi": "wifi", "infiniband": "infiniband", "bridge": "bridge", "bond": "aggregate"}
_FIRMWARE_TYPES = ("fwupd", "nics")


def _mib(size: int | None) -> int | None:
    return None if size is None else size // MIB


def _of(target: str, path: str, note: str = "") -> Field[Subject]:
    return Field(target, path, lambda subject: subject.fact(path), note)


def _identifier(subject: Subject, source: str) -> str | None:
    """What a source of identity says, unless it is a placeholder, or several nodes show it."""
    one = subject.members("identity.identifiers").get(source)
    return one["value"] if one and not one["placeholder"] and one["value"] not in subject.shared else None


def _identifier_of(target: str, source: str) -> Field[Subject]:
    note = f"of `{source}`, no placeholder and no clone's"
    return Field(target, "identity.identifiers", lambda subject: _identifier(subject, source), note)


def _secure_boot(subject: Subject) -> str | None:
    state = subject.fact("security.secure_boot")
    return None if state is None else ("enabled" if state else "disabled")


def _seen(subject: Subject) -> str | None:
    moment = subject.newest_facts_at or subject.health_at
    return recency(moment) if moment else None


def _gateway(subject: Subject) -> str | None:
    routes = [route for route in subject.members("network.routes").values() if route.get("family") == "IPv4"]
    best = min(routes, key=lambda route: route["metric"], default=None)
    return best.get("gateway") if best else None


def _ip(part: Part, mark: str) -> str | None:
    return next((ip for name, ip, _ in part.subject.addresses if name == part.name and mark in ip), None)


def _capability(part: Part) -> str | None:
    capability = part.get("compute_capability")
    return f"compute capability {capability}" if capability else None


_WHOLE = (
    "identity.smbios", "hardware.processors.types", "hardware.gpus", "storage.disks", "storage.file_systems",
    "network.interfaces", "network.addresses", "firmware.fwupd", "firmware.nics", "software.packages",
    "software.snaps", "software.python_packages", "software.docker_containers", "os.kernel",
)  # fmt: skip
"""What has to be known for an inventory to be whole."""


def _partial(subject: Subject) -> bool:
    """Whether something that the lists are made of is not known, so that GLPI must not take it for gone."""
    for facet, path in ((path[0], path[1:]) for path in map(from_text, _WHOLE)):
        known = subject.standing.facets.get(facet)
        if known is None or Gaps(known.document).at(path) is not None:
            return True
    return False


HEAD_FIELDS: tuple[Field[Subject], ...] = (
    constant("action", "inventory"),
    constant("itemtype", "Computer"),
    Field(
        "partial", "(facets), (facets) gaps", _partial, "true while a list below is not known: GLPI then keeps its own",
    ),
    Field("deviceid", "(key)", lambda s: f"sparkctl-{s.uuid}"),
    Field(
        "tag", "(inventory) or (last visit)", lambda s: "simulated" if s.simulated else s.node.site,
        "`simulated` for a simulated node, else the site",
    ),
    constant("content.versionclient", f"sparkctl {__version__}"),
    Field("content.accesslog.logdate", "(facets) seen", _seen, "of the newest facet, in UTC"),
    Field("content.hardware.name", "(inventory) name", lambda s: s.name),
    _identifier_of("content.hardware.uuid", "smbios.product_uuid"),
    Field(
        "content.hardware.chassis_type",
        "identity.smbios.chassis_type", lambda s: _CHASSIS.get(str(s.fact("identity.smbios.chassis_type"))),
    ),
    Field(
        "content.hardware.memory", "hardware.memory.total_bytes", lambda s: _mib(s.fact("hardware.memory.total_bytes")),
        "MiB",
    ),
    Field(
        "content.hardware.swap", "hardware.memory.swap_total_bytes",
        lambda s: _mib(s.fact("hardware.memory.swap_total_bytes")),
        "MiB",
    ),
    Field("content.hardware.defaultgateway", "network.routes", _gateway),
    Field(
        "content.hardware.description", "(several)", description,
        "simulated, key, last visit, and what is not known",
    ),
    _of("content.bios.bmanufacturer", "firmware.bios.vendor"),
    _of("content.bios.bversion", "firmware.bios.version"),
    _of("content.bios.bdate", "firmware.bios.date"),
    _of("content.bios.smanufacturer", "identity.smbios.sys_vendor"),
    _of("content.bios.smodel", "identity.smbios.product_name"),
    _of("content.bios.skunumber", "identity.smbios.product_sku"),
    _of("content.bios.mmanufacturer", "identity.smbios.board_vendor"),
    _of("content.bios.mmodel", "identity.smbios.board_name"),
    Field(
        "content.bios.ssn", "identity.serial", lambda s: s.key.value if s.key.is_serial else None,
        "the key, when it is a serial",
    ),
    _identifier_of("content.bios.msn", "smbios.board_serial"),
    _identifier_of("content.bios.enclosureserial", "smbios.chassis_serial"),
    Field("content.bios.assettag", "(inventory) labels.asset_tag", lambda s: s.node.labels.get("asset_tag")),
    Field("content.bios.secure_boot", "security.secure_boot", _secure_boot),
    _of("content.operatingsystem.name", "os.distribution.id"),
    _of("content.operatingsystem.version", "os.distribution.version_id"),
    _of("content.operatingsystem.full_name", "os.distribution.pretty_name"),
    _of("content.operatingsystem.service_pack", "os.dgx.version", "the version of DGX OS"),
    _of("content.operatingsystem.arch", "os.architecture"),
    Field(
        "content.operatingsystem.kernel_name",
        "os.kernel.running", lambda s: "linux" if s.fact("os.kernel.running") else None,
    ),
    _of("content.operatingsystem.kernel_version", "os.kernel.running"),
)  # fmt: skip
CPU_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "hardware.processors.types.*.name", lambda p: p.get("name")),
    Field("arch", "os.architecture", lambda p: p.subject.fact("os.architecture")),
    Field("core", "hardware.processors.types.*.count", lambda p: p.get("count"), "cores of this kind online"),
    Field("id", "hardware.processors.types", lambda p: p.name, "implementer and part"),
    Field("description", "hardware.processors.types.*.revision", lambda p: p.get("revision")),
)
STORAGE_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "storage.disks", lambda p: p.name),
    Field("model", "storage.disks.*.model", lambda p: p.get("model")),
    Field("serial", "storage.disks.*.serial", lambda p: p.get("serial")),
    Field("disksize", "storage.disks.*.size_bytes", lambda p: _mib(p.get("size_bytes")), "MiB"),
    Field("interface", "storage.disks.*.transport", lambda p: p.get("transport")),
    Field("wwn", "storage.disks.*.wwid", lambda p: p.get("wwid")),
    Field("type", "storage.disks.*.rotational", lambda p: {True: "HDD", False: "SSD"}.get(p.get("rotational"))),
)
DRIVE_FIELDS: tuple[Field[Part], ...] = (
    Field("type", "storage.file_systems", lambda p: p.name, "the mount point: so GLPI has it"),
    Field("volumn", "storage.file_systems.*.source", lambda p: p.get("source")),
    Field("filesystem", "storage.file_systems.*.type", lambda p: p.get("type")),
    Field("total", "storage.file_systems.*.size_bytes", lambda p: _mib(p.get("size_bytes")), "MiB"),
)
NETWORK_FIELDS: tuple[Field[Part], ...] = (
    Field("description", "network.interfaces", lambda p: p.name),
    Field("type", "network.interfaces.*.kind", lambda p: _KINDS.get(p.get("kind"))),
    Field("mac", "network.interfaces.*.permanent_mac", lambda p: p.get("permanent_mac") or p.get("mac")),
    Field("status", "network.interfaces.*.carrier", lambda p: {True: "up", False: "down"}.get(p.get("carrier"))),
    Field("mtu", "network.interfaces.*.mtu", lambda p: p.get("mtu")),
    Field(
        "speed", "network.interfaces.*.speed_mbit_s",
        lambda p: str(p.get("speed_mbit_s")) if p.get("speed_mbit_s") else None,
        "Mbit/s",
    ),
    Field("driver", "network.interfaces.*.driver", lambda p: p.get("driver")),
    Field("pcislot", "network.interfaces.*.device", lambda p: p.get("device")),
    Field("ipaddress", "network.addresses", lambda p: _ip(p, "."), "the first of IPv4"),
    Field("ipaddress6", "network.addresses", lambda p: _ip(p, ":"), "the first of IPv6"),
    Field(
        "firmware", "firmware.nics.*.version", lambda p: pick(p.subject.members("firmware.nics"), str(p.get("device")),
        "version"),
    ),
)  # fmt: skip
VIDEO_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "hardware.gpus.*.name", lambda p: p.get("name")),
    Field("chipset", "hardware.gpus.*.compute_capability", _capability),
    Field(
        "memory", "hardware.gpus.*.memory_total_bytes", lambda p: _mib(p.get("memory_total_bytes")),
        "MiB; absent for a GB10, which has none of its own",
    ),
    Field("pcislot", "hardware.gpus", lambda p: p.name),
)  # fmt: skip
FIRMWARE_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "firmware.fwupd.*.name, firmware.nics", lambda p: p.get("name") or p.name),
    Field("version", "firmware.fwupd.*.version, firmware.nics.*.version", lambda p: p.get("version")),
    Field("manufacturer", "firmware.fwupd.*.vendor", lambda p: p.get("vendor")),
    Field("type", "firmware.fwupd.*.plugin", lambda p: p.get("plugin") or "nic"),
)
SOFTWARE_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "software.packages, software.snaps, software.python_packages", lambda p: p.name),
    Field("version", "software.packages.*, software.snaps.*, software.python_packages.*", lambda p: p.get("version")),
    Field("arch", "os.architecture", lambda p: p.get("arch"), "of packages of the node's own architecture"),
    Field("from", "(kind of package)", lambda p: p.get("from"), "`deb`, `snap`, `pip`"),
)
CONTAINER_FIELDS: tuple[Field[Part], ...] = (
    Field("name", "software.docker_containers", lambda p: p.name),
    Field("image", "software.docker_containers.*.image", lambda p: p.get("image")),
    constant("vmtype", "docker"),
)


def _networks(subject: Subject) -> Iterator[Part]:
    return (part for part in members("network.interfaces")(subject) if part.get("kind") in _KINDS)


def _disks(subject: Subject) -> Iterator[Part]:
    return (part for part in members("storage.disks")(subject) if not part.get("removable"))


def _firmwares(subject: Subject) -> Iterator[Part]:
    for kind in _FIRMWARE_TYPES:
        yield from (part for part in members(f"firmware.{kind}")(subject) if part.get("version"))


def _softwares(subject: Subject) -> Iterator[Part]:
    native = subject.fact("os.architecture")
    for name, version in sorted(subject.members("software.packages").items()):
        bare, _, foreign = name.partition(":")
        yield Part(subject, bare, {"version": version, "from": "deb", "arch": foreign or native})
    for name, revision in sorted(subject.members("software.snaps").items()):
        yield Part(subject, name, {"version": revision, "from": "snap"})
    for name, version in sorted(subject.members("software.python_packages").items()):
        yield Part(subject, name.partition("/")[2], {"version": version, "from": "pip"})


LISTS: tuple[tuple[str, str, tuple[Field[Part], ...], Callable[[Subject], Iterator[Part]]], ...] = (
    ("cpus", "kind of processor", CPU_FIELDS, members("hardware.processors.types")),
    ("storages", "disk, removable ones left out", STORAGE_FIELDS, _disks),
    ("drives", "mounted file system", DRIVE_FIELDS, members("storage.file_systems")),
    ("networks", "interface of an adapter, bond or bridge", NETWORK_FIELDS, _networks),
    ("videos", "GPU", VIDEO_FIELDS, members("hardware.gpus")),
    ("firmwares", "device with firmware", FIRMWARE_FIELDS, _firmwares),
    ("softwares", "package", SOFTWARE_FIELDS, _softwares),
    ("virtualmachines", "Docker container", CONTAINER_FIELDS, members("software.docker_containers")),
)
"""The lists of `content`: name, what there is one item of, the fields of an item, and where items come from."""


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """One inventory. A list of which nothing is known is not there, rather than empty."""
    whole = nested(HEAD_FIELDS, subject)
    for name, _, fields, parts_of in LISTS:
        if items := [nested(fields, part) for part in parts_of(subject)]:
            whole["content"][name] = items
    yield whole


GLPI = Format(
    name="glpi",
    title="inventories for GLPI",
    target="GLPI inventory format (GLPI 10 and 11)",
    sections=(
        Section("The inventory", "node", HEAD_FIELDS),
        *(Section(f"`content.{name}`", each, fields) for name, each, fields, _ in LISTS),
    ),
    pieces=line_for_each(records),
)
