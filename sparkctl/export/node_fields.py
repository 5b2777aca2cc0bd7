"""What is known of a node as one flat record, for targets that have no words of their own for it."""

from typing import Any

from sparkctl.export.fields import Field
from sparkctl.export.subject import Subject, iso
from sparkctl.model.vocabulary import Status


def fact(target: str, path: str, note: str = "") -> Field[Subject]:
    """A field that is a field of a facet, as it stands there."""
    return Field(target, path, lambda subject: subject.fact(path), note)


def processors(subject: Subject) -> int | None:
    """How many processors are online."""
    types = subject.members("hardware.processors.types")
    return sum(one["count"] for one in types.values()) or None


def processor_names(subject: Subject) -> list[str]:
    """The names of the kinds of processors, sorted."""
    types = subject.members("hardware.processors.types")
    return sorted({one["name"] for one in types.values() if one.get("name")})


def gpu_names(subject: Subject) -> list[str]:
    """The names of the GPUs, in the order of their addresses."""
    gpus = subject.members("hardware.gpus")
    return [gpus[address]["name"] for address in sorted(gpus) if gpus[address].get("name")]


def disk_bytes(subject: Subject) -> int | None:
    """The sizes of all disks that are no removable ones; None when one is not known."""
    disks = [disk for disk in subject.members("storage.disks").values() if not disk.get("removable")]
    sizes = [disk.get("size_bytes") for disk in disks]
    return None if None in sizes else sum(sizes) or None


def _worst(subject: Subject) -> str | None:
    rollup = subject.rollup
    return rollup.worst.value if rollup and rollup.worst else None


def _labels(subject: Subject) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(subject.node.labels.items())]


def _end(subject: Subject, name: str) -> Any:
    return getattr(subject.boot_end.flat, name) if subject.boot_end else None


NODE_FIELDS: tuple[Field[Subject], ...] = (
    Field("node", "(inventory) name", lambda s: s.name),
    Field("uuid", "(key)", lambda s: s.uuid, "follows from `key`"),
    Field("key", "(key)", lambda s: s.key.value, "what the node is recognised by"),
    Field("key_source", "(key)", lambda s: s.key.source),
    Field("simulated", "(inventory) or (last visit)", lambda s: s.simulated),
    Field("exported_at", "(export)", lambda s: iso(s.at)),
    Field("reported", "(last visit) outcome", lambda s: s.reported, "absent: never visited"),
    Field("visited_at", "(last visit) ts", lambda s: iso(s.standing.last.ts) if s.standing.last else None),
    Field("visit_status", "(last visit) status", lambda s: s.standing.last.status if s.standing.last else None),
    Field("site", "(inventory) site", lambda s: s.node.site),
    Field("rack", "(inventory) rack", lambda s: s.node.rack),
    Field("unit", "(inventory) unit", lambda s: s.node.unit),
    Field("power_group", "(inventory) power_group", lambda s: s.node.power_group),
    Field("state", "(inventory) state", lambda s: s.node.state),
    Field("groups", "(inventory) groups", lambda s: s.node.groups),
    Field("labels", "(inventory) labels", _labels),
    Field("serial", "identity.serial", lambda s: s.serial, "the enrolled one first"),
    Field("serial_source", "identity.serial_source", lambda s: s.serial_source),
    fact("is_gb10", "identity.platform.is_gb10"),
    fact("vendor", "identity.smbios.sys_vendor"),
    fact("product", "identity.smbios.product_name"),
    fact("product_version", "identity.smbios.product_version"),
    fact("sku", "identity.smbios.product_sku"),
    fact("hostname", "identity.hostname"),
    fact("os", "os.distribution.pretty_name"),
    fact("dgx_os", "os.dgx.version"),
    fact("kernel", "os.kernel.running"),
    fact("architecture", "os.architecture"),
    fact("reboot_required", "os.reboot_required"),
    fact("nvidia_driver", "drivers.nvidia.version"),
    fact("bios_version", "firmware.bios.version"),
    fact("bios_date", "firmware.bios.date"),
    Field("processors", "hardware.processors.types", processors, "processors online"),
    fact("memory_bytes", "hardware.memory.total_bytes", "as the kernel counts it"),
    Field("disk_bytes", "storage.disks", disk_bytes, "removable ones left out"),
    Field("gpus", "hardware.gpus", gpu_names),
    Field("macs", "identity.macs", lambda s: [f"{name}={mac}" for name, mac in sorted(s.macs().items())]),
    Field(
        "addresses", "network.addresses", lambda s: [f"{name}={ip}/{prefix}" for name, ip, prefix in s.addresses],
        "without link-local ones and those of container bridges",
    ),
    fact("secure_boot", "security.secure_boot"),
    fact("root_encrypted", "security.root_encryption.encrypted"),
    Field("health_at", "(newest findings) ts", lambda s: iso(s.health_at)),
    Field("worst", "(newest findings) rollup.worst", _worst),
    Field("completeness", "(newest findings) rollup.completeness", lambda s: s.rollup and s.rollup.completeness),
    Field("failed", "(newest findings)", lambda s: s.checks(Status.FAIL)),
    Field("warned", "(newest findings)", lambda s: s.checks(Status.WARN)),
    Field("unknown", "(newest findings)", lambda s: s.checks(Status.UNKNOWN)),
    Field("boot_end", "(newest reset reason) flat.words", lambda s: _end(s, "words")),
    Field("boot_end_expected", "(newest reset reason) flat.expected", lambda s: _end(s, "expected")),
    Field(
        "boot_end_at", "(newest reset reason) ts",
        lambda s: iso(s.standing.reset.ts) if s.boot_end and s.standing.reset else None,
        "when it was told, not when it was",
    ),
    Field("facts_at", "(facets) seen", lambda s: iso(s.facts_at), "of the facet that was seen longest ago"),
    Field("never_collected", "(facets)", lambda s: s.never_collected),
    Field("stale", "(--max-age)", lambda s: list(s.stale), "known, and left out for its age"),
    Field("gaps", "(facets) gaps", lambda s: s.gaps, "`FACET.FIELD=REASON`"),
)  # fmt: skip
"""Every field of the flat record."""
