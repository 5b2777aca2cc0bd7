"""Payloads for ServiceNow's Identification and Reconciliation Engine, one for each node."""

from collections.abc import Iterator
from typing import Any

from sparkctl.export.fields import Field, Section, constant, nested
from sparkctl.export.format import Format, line_for_each
from sparkctl.export.node_fields import disk_bytes, processor_names, processors
from sparkctl.export.remarks import description, recency
from sparkctl.export.subject import Subject

CLASS = "cmdb_ci_linux_server"
SOURCE = "sparkctl"
MIB, GIB = 1024 * 1024, 1024 * 1024 * 1024
_SERIAL_TYPES = (
    ("smbios.product_serial", "system"),
    ("smbios.chassis_serial", "chassis"),
    ("smbios.board_serial", "baseboard"),
    ("smbios.product_uuid", "uuid"),
)
"""Sources of the identity facet with the `serial_number_type` that they are."""


def _size(subject: Subject, path: str, unit: int) -> str | None:
    size = subject.fact(path)
    return None if size is None else str(size // unit)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _disk(subject: Subject) -> str | None:
    size = disk_bytes(subject)
    return None if size is None else str(size // GIB)


def _seen(subject: Subject) -> str | None:
    moments = [moment for moment in (subject.newest_facts_at, subject.health_at) if moment]
    return recency(max(moments)) if moments else None


def _fact(target: str, path: str, note: str = "") -> Field[Subject]:
    return Field(target, path, lambda subject: _text(subject.fact(path)), note)


ITEM_FIELDS: tuple[Field[Subject], ...] = (
    constant("className", CLASS),
    Field("internal_id", "(key)", lambda s: s.uuid),
    constant("sys_object_source_info.source_name", SOURCE),
    Field(
        "sys_object_source_info.source_native_key", "(key)", lambda s: s.uuid,
        "finds the node again, whatever else changes",
    ),
    constant("sys_object_source_info.source_feed", "sparkctl export"),
    Field(
        "sys_object_source_info.source_recency_timestamp", "(facets) seen, (newest findings) ts", _seen,
        "the newest of them, in UTC; absent when nothing is known",
    ),
    Field("values.name", "(inventory) name", lambda s: s.name),
    _fact("values.host_name", "identity.hostname"),
    Field(
        "values.serial_number", "identity.serial", lambda s: s.key.value if s.key.is_serial else None,
        "the key, when it is a serial: one that several nodes show is left out",
    ),
    Field("values.short_description", "(several)", description, "simulated, key, last visit, and what is not known"),
    Field("values.asset_tag", "(inventory) labels.asset_tag", lambda s: s.node.labels.get("asset_tag")),
    _fact("values.os", "os.distribution.pretty_name"),
    _fact("values.os_version", "os.distribution.version_id"),
    _fact("values.os_service_pack", "os.dgx.version", "the version of DGX OS"),
    _fact("values.kernel_release", "os.kernel.running"),
    Field("values.cpu_core_count", "hardware.processors.types", lambda s: _text(processors(s)), "processors online"),
    Field("values.cpu_name", "hardware.processors.types", lambda s: " / ".join(processor_names(s)) or None),
    Field("values.ram", "hardware.memory.total_bytes", lambda s: _size(s, "hardware.memory.total_bytes", MIB), "MiB"),
    Field("values.disk_space", "storage.disks", _disk, "GiB"),
    Field(
        "values.ip_address", "network.addresses", lambda s: next((ip for _, ip, _ in s.addresses if "." in ip), None),
        "the first of IPv4",
    ),
    _fact("display_values.manufacturer", "identity.smbios.sys_vendor"),
    _fact("display_values.model_id", "identity.smbios.product_name"),
    Field("display_values.location", "(inventory) site", lambda s: s.node.site),
)  # fmt: skip
LOOKUP_FIELDS: tuple[Field[tuple[str, str]], ...] = (
    constant("className", "cmdb_serial_number"),
    Field("values.serial_number", "identity.identifiers", lambda one: one[0], "placeholders of makers left out"),
    Field("values.serial_number_type", "identity.identifiers", lambda one: one[1], "system, chassis, baseboard, uuid"),
    constant("values.valid", "true"),
)
ADAPTER_FIELDS: tuple[Field[tuple[str, str]], ...] = (
    constant("className", "cmdb_ci_network_adapter"),
    Field("values.name", "identity.macs", lambda one: one[0]),
    Field("values.mac_address", "identity.macs", lambda one: one[1].upper(), "the permanent one"),
)


def _serials(subject: Subject) -> list[tuple[str, str]]:
    identifiers = subject.members("identity.identifiers")
    found = []
    for source, kind in _SERIAL_TYPES:
        one = identifiers.get(source)
        if one and not one["placeholder"] and one["value"] not in subject.shared:
            found.append((one["value"], kind))
    if not found and subject.key.is_serial:
        found.append((subject.key.value, "system"))
    return found


def records(subject: Subject) -> Iterator[dict[str, Any]]:
    """One payload: the node with its serials to look it up by, and its adapters as related items."""
    item = nested(ITEM_FIELDS, subject)
    if serials := _serials(subject):
        item["lookup"] = [nested(LOOKUP_FIELDS, one) for one in serials]
    if macs := sorted(subject.macs().items()):
        item["related"] = [nested(ADAPTER_FIELDS, one) for one in macs]
    yield {"items": [item], "relations": []}


SERVICENOW = Format(
    name="servicenow",
    title="payloads for ServiceNow's IRE",
    target="ServiceNow Identification and Reconciliation API",
    sections=(
        Section("`items[0]`", "node", ITEM_FIELDS),
        Section("`items[0].lookup`", "serial", LOOKUP_FIELDS),
        Section("`items[0].related`", "adapter", ADAPTER_FIELDS),
    ),
    pieces=line_for_each(records),
)
