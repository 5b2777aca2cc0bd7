"""OCSF events: Device Inventory Info (5001) for each node, Compliance Finding (2003) for each finding.

Device Config State (5002) was not taken: what it says of a check is yes or no, and a check here may be unknown.
Compliance Finding has a word for each of our statuses.
"""

from collections.abc import Iterator
from typing import Any

from sparkctl import __version__
from sparkctl.export.events import Event, events
from sparkctl.export.fields import Field, Section, constant, flat, nested, pick
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.node_fields import NODE_FIELDS, processors
from sparkctl.export.severity import SCALES
from sparkctl.export.subject import Subject, milliseconds
from sparkctl.model.vocabulary import Status

OCSF_VERSION = "1.6.0"
INVENTORY_INFO, COMPLIANCE_FINDING = 5001, 2003
COLLECT, CREATE = 2, 1
COMPLIANCE = {
    Status.PASS: (1, "Pass"),
    Status.WARN: (2, "Warning"),
    Status.FAIL: (3, "Fail"),
    Status.UNKNOWN: (0, "Unknown"),
}
"""`compliance.status_id` with its caption."""
_STATUS = {"success": (1, "Success"), "unknown": (0, "Unknown")}
_CHASSIS = {"3": (2, "Desktop"), "17": (1, "Server")}
"""Device types by the chassis type of SMBIOS; any other is unknown to us."""
_ARCHITECTURES = {"aarch64": (2, "ARM"), "x86_64": (1, "x86")}
_WIRELESS = {"wifi"}
MIB = 1024 * 1024


def _common(
    class_uid: int, class_name: str, category: tuple[int, str], activity: tuple[int, str]
) -> tuple[Field[Event], ...]:
    return (
        constant("class_uid", class_uid),
        constant("class_name", class_name),
        constant("category_uid", category[0]),
        constant("category_name", category[1]),
        constant("activity_id", activity[0]),
        constant("activity_name", activity[1]),
        constant("type_uid", class_uid * 100 + activity[0]),
        Field("time", "(event) at", lambda e: milliseconds(e.at), "milliseconds since 1970, when it was so"),
        Field("severity_id", "(event) level", lambda e: SCALES[e.level].ocsf, "0: nobody can tell"),
        Field("severity", "(event) level", lambda e: SCALES[e.level].ocsf_caption),
        Field("message", "(event) message", lambda e: e.message),
        constant("metadata.version", OCSF_VERSION),
        constant("metadata.product.name", "sparkctl"),
        constant("metadata.product.vendor_name", "sparkctl", "the name of this program, which has no vendor"),
        Field("metadata.product.version", "(version of sparkctl)", lambda _: __version__),
        Field("metadata.uid", "(event) id", lambda e: e.id, "the same for the same observation"),
        Field("metadata.event_code", "(event) code", lambda e: e.code),
        Field("metadata.correlation_uid", "(key)", lambda e: e.subject.uuid),
        Field("metadata.logged_time", "(export)", lambda e: milliseconds(e.subject.at)),
        Field(
            "metadata.labels", "(inventory) or (last visit)", lambda e: ["simulated"] if e.subject.simulated else None,
            "`simulated` for a simulated node",
        ),
    )  # fmt: skip


def _device_type(subject: Subject) -> tuple[int, str]:
    return _CHASSIS.get(str(subject.fact("identity.smbios.chassis_type")), (0, "Unknown"))


def _interfaces(subject: Subject) -> list[dict[str, Any]]:
    addresses: dict[str, str] = {}
    for name, ip, _ in subject.addresses:
        addresses.setdefault(name, ip)
    kinds = subject.members("network.interfaces")
    found = []
    for name, mac in sorted(subject.macs().items()):
        wireless = pick(kinds, name, "kind") in _WIRELESS
        one = {
            "name": name,
            "mac": mac.upper(),
            "type_id": 2 if wireless else 1,
            "type": "Wireless" if wireless else "Wired",
        }
        found.append({**one, "ip": addresses[name]} if name in addresses else one)
    return found


def _ram(subject: Subject) -> int | None:
    size = subject.fact("hardware.memory.total_bytes")
    return None if size is None else size // MIB


def _device_field(target: str, path: str, note: str = "") -> Field[Event]:
    return Field(target, path, lambda event: event.subject.fact(path), note)


INVENTORY_FIELDS: tuple[Field[Event], ...] = (
    *_common(INVENTORY_INFO, "Device Inventory Info", (5, "Discovery"), (COLLECT, "Collect")),
    Field(
        "status_id", "(event) outcome", lambda e: _STATUS[e.outcome][0],
        "0 for a node that did not answer: that says nothing of it",
    ),
    Field("status", "(event) outcome", lambda e: _STATUS[e.outcome][1]),
    Field("status_code", "(last visit) status", lambda e: e.reason, "why it did not report"),
    Field("device.uid", "(key)", lambda e: e.subject.uuid),
    Field("device.uid_alt", "(key)", lambda e: e.subject.key.value),
    Field("device.name", "(inventory) name", lambda e: e.subject.name),
    Field(
        "device.type_id", "identity.smbios.chassis_type", lambda e: _device_type(e.subject)[0],
        "3 is a desktop, 17 a server",
    ),
    Field("device.type", "identity.smbios.chassis_type", lambda e: _device_type(e.subject)[1]),
    _device_field("device.hostname", "identity.hostname"),
    _device_field("device.vendor_name", "identity.smbios.sys_vendor"),
    _device_field("device.model", "identity.smbios.product_name"),
    Field("device.zone", "(inventory) rack", lambda e: e.subject.node.rack),
    Field("device.region", "(inventory) site", lambda e: e.subject.node.site),
    Field("device.groups", "(inventory) groups", lambda e: [{"name": name} for name in e.subject.node.groups]),
    Field(
        "device.last_seen_time", "(last visit) ts", lambda e: milliseconds(e.at) if e.outcome == "success" else None,
        "only when it answered",
    ),
    Field(
        "device.ip", "network.addresses", lambda e: next((ip for _, ip, _ in e.subject.addresses), None), "the first",
    ),
    Field(
        "device.network_interfaces", "identity.macs", lambda e: _interfaces(e.subject),
        "with the first address of each from `network.addresses`",
    ),
    Field("device.hw_info.serial_number", "identity.serial", lambda e: e.subject.serial),
    _device_field("device.hw_info.vendor_name", "identity.smbios.sys_vendor"),
    _device_field("device.hw_info.bios_manufacturer", "firmware.bios.vendor"),
    _device_field("device.hw_info.bios_ver", "firmware.bios.version"),
    _device_field("device.hw_info.bios_date", "firmware.bios.date"),
    Field("device.hw_info.cpu_cores", "hardware.processors.types", lambda e: processors(e.subject)),
    Field("device.hw_info.ram_size", "hardware.memory.total_bytes", lambda e: _ram(e.subject), "MiB"),
    Field(
        "device.hw_info.cpu_architecture_id",
        "os.architecture", lambda e: _ARCHITECTURES.get(e.subject.fact("os.architecture"), (None, None))[0],
    ),
    Field(
        "device.hw_info.cpu_architecture",
        "os.architecture", lambda e: _ARCHITECTURES.get(e.subject.fact("os.architecture"), (None, None))[1],
    ),
    _device_field("device.os.name", "os.distribution.pretty_name"),
    Field(
        "device.os.type_id", "os.distribution.pretty_name",
        lambda e: 200 if e.subject.fact("os.distribution.pretty_name") else None,
        "200 is Linux",
    ),
    Field(
        "device.os.type",
        "os.distribution.pretty_name", lambda e: "Linux" if e.subject.fact("os.distribution.pretty_name") else None,
    ),
    _device_field("device.os.version", "os.distribution.version_id"),
    _device_field("device.os.kernel_release", "os.kernel.running"),
    _device_field("device.os.edition", "os.dgx.version", "the version of DGX OS"),
    Field("unmapped", "(see A node)", lambda e: flat(NODE_FIELDS, e.subject), "with what is not known of it"),
)  # fmt: skip


def _threshold(event: Event) -> list[dict[str, str]] | None:
    finding = event.finding
    if finding is None:
        return None
    found = (
        [{"name": "value", "value": f"{finding.value} {finding.unit or ''}".rstrip()}]
        if finding.value is not None
        else []
    )
    for name in ("warn", "fail"):
        bound = getattr(finding.threshold, name, None)
        if bound is not None and finding.threshold is not None:
            found.append({"name": name, "value": f"{finding.threshold.comparison.value} {bound}"})
    return found


def _resource(event: Event) -> list[dict[str, Any]]:
    one = {"uid": event.subject.uuid, "name": event.subject.name, "type": "DGX Spark node"}
    return [{**one, "labels": ["simulated"]} if event.subject.simulated else one]


FINDING_FIELDS: tuple[Field[Event], ...] = (
    *_common(COMPLIANCE_FINDING, "Compliance Finding", (2, "Findings"), (CREATE, "Create")),
    Field(
        "finding_info.uid", "(key), (finding) check", lambda e: e.subject.key.id_of("finding", e.code),
        "the same from sweep to sweep",
    ),
    Field("finding_info.title", "(event) title", lambda e: e.title),
    Field("finding_info.desc", "(finding) summary", lambda e: e.message),
    Field("finding_info.last_seen_time", "(event) at", lambda e: milliseconds(e.at)),
    Field("compliance.control", "(finding) check", lambda e: e.finding and e.finding.check),
    constant("compliance.standards", ["sparkctl L1"]),
    Field(
        "compliance.status_id", "(finding) status", lambda e: COMPLIANCE[e.finding.status][0] if e.finding else None,
        "0: could not be evaluated",
    ),
    Field("compliance.status", "(finding) status", lambda e: COMPLIANCE[e.finding.status][1] if e.finding else None),
    Field("compliance.status_code", "(finding) reason", lambda e: e.reason, "why it could not be evaluated"),
    Field("compliance.control_parameters", "(finding) value, (finding) threshold", _threshold),
    Field("remediation.desc", "(finding) action", lambda e: e.action),
    Field("resources", "(inventory) name, (key)", _resource),
)  # fmt: skip


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """The inventory event of a node, then one for each finding."""
    for event in events(subject):
        if event.kind == "node":
            yield nested(INVENTORY_FIELDS, event)
        elif event.kind == "finding":
            yield nested(FINDING_FIELDS, event)


OCSF = Format(
    name="ocsf",
    title="events of the Open Cybersecurity Schema Framework",
    target=f"OCSF {OCSF_VERSION}",
    sections=(
        Section("Device Inventory Info", "node", INVENTORY_FIELDS),
        Section("Compliance Finding", "finding", FINDING_FIELDS),
        Section("A node (`unmapped`)", "node", NODE_FIELDS),
    ),
    pieces=line_for_each(records),
)
