"""A hardware bill of materials (HBOM) in CycloneDX for each node: its parts, and the firmware that they run."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkctl.export.bom import Kind, bom_format, properties
from sparkctl.export.fields import Field, constant, pick
from sparkctl.export.part import Part, members
from sparkctl.export.subject import Subject

FACETS = ("identity", "hardware", "firmware", "storage")


def _ref(kind: str) -> Field[Part]:
    return Field("bom-ref", "(name)", lambda part: f"{kind}:{part.name}")


def _named(*names: str, source: str) -> Field[Part]:
    return Field("name", source, lambda part: next((part.get(name) for name in names if part.get(name)), part.name))


def _property_field(source: str, take: Callable[[Part], dict[str, Any]]) -> Field[Part]:
    return Field("properties", source, lambda part: properties(take(part)))


PROCESSOR_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "device"),
    _ref("processor"),
    _named("name", source="hardware.processors.types.*.name"),
    Field("version", "hardware.processors.types.*.revision", lambda p: p.get("revision")),
    _property_field("hardware.processors.types.*.count", lambda p: {"count": p.get("count"), "id": p.name}),
)
GPU_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "device"),
    _ref("gpu"),
    _named("name", source="hardware.gpus.*.name"),
    _property_field("hardware.gpus, identity.gpus", lambda p: {
        "pci_address": p.name, "uuid": p.subject.members("identity.gpus").get(p.name),
        "compute_capability": p.get("compute_capability"),
    }),
)  # fmt: skip
DRIVE_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "device"),
    _ref("nvme"),
    _named("model", source="hardware.nvme.*.model"),
    _property_field("hardware.nvme", lambda p: {
        "serial": p.get("serial"), "size_bytes": p.get("size_bytes"), "pci_address": p.get("address"),
    }),
)  # fmt: skip
ADAPTER_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "device"),
    _ref("nic"),
    Field("name", "hardware.nics.*.kind", lambda p: f"{p.get('kind')} adapter"),
    _property_field("hardware.nics, hardware.pci", lambda p: {
        "pci_address": p.name, "interfaces": ", ".join(p.get("interfaces") or []) or None,
        "vendor": pick(p.subject.members("hardware.pci"), p.name, "vendor"),
        "device": pick(p.subject.members("hardware.pci"), p.name, "device"),
    }),
)  # fmt: skip
TPM_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "device"),
    _ref("tpm"),
    Field("name", "hardware.tpms.*.description", lambda p: p.get("description") or "TPM"),
    _property_field("hardware.tpms.*.version_major", lambda p: {"version_major": p.get("version_major")}),
)
FIRMWARE_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "firmware"),
    _ref("firmware"),
    Field("name", "firmware", lambda p: p.get("name")),
    Field("version", "firmware", lambda p: p.get("version")),
    Field("manufacturer.name", "firmware", lambda p: p.get("vendor")),
    _property_field("firmware", lambda p: {"source": p.get("source"), "version_decoded": p.get("version_decoded")}),
)


def _firmware(subject: Subject) -> Iterator[Part]:
    """Every firmware whose version somebody wrote: placeholders say nothing, so that they are left out."""
    for name, about in _versions(subject):
        if about.get("version"):
            yield Part(subject, name, about)


def _versions(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    bios, tpm = subject.members("firmware.bios"), subject.members("firmware.tpm")
    yield "bios", {**bios, "name": "BIOS", "source": "SMBIOS type 0"}
    for name, one in sorted(subject.members("firmware.smbios").items()):
        version = None if one["placeholder"] else one.get("version")
        vendor = one.get("manufacturer")
        yield f"smbios/{name}", {"name": name, "version": version, "vendor": vendor, "source": "SMBIOS type 45"}
    for name, one in sorted(subject.members("firmware.fwupd").items()):
        source = f"fwupd {one.get('plugin') or ''}".rstrip()
        yield f"fwupd/{name}", {**one, "name": one.get("name") or name, "source": source}
    for name, one in sorted(subject.members("firmware.nics").items()):
        yield f"nic/{name}", {"name": f"adapter {name}", "version": one["version"], "source": "ethtool"}
    for name, version in sorted(subject.members("firmware.drives").items()):
        yield f"drive/{name}", {"name": f"drive {name}", "version": version, "source": "sysfs"}
    for name, one in sorted(subject.members("firmware.gpus").items()):
        for kind in ("vbios", "gsp", "inforom"):
            yield f"gpu/{name}/{kind}", {"name": f"GPU {kind}", "version": one.get(kind), "source": "nvidia-smi"}
    yield "tpm", {"name": "TPM", "version": tpm.get("version"), "vendor": tpm.get("manufacturer"), "source": "TPM"}


KINDS: tuple[Kind, ...] = (
    ("Processors", "kind of processor", PROCESSOR_FIELDS, members("hardware.processors.types")),
    ("GPUs", "GPU", GPU_FIELDS, members("hardware.gpus")),
    ("Drives", "NVMe controller", DRIVE_FIELDS, members("hardware.nvme")),
    ("Network adapters", "PCI function of one", ADAPTER_FIELDS, members("hardware.nics")),
    ("TPM", "TPM", TPM_FIELDS, members("hardware.tpms")),
    ("Firmware", "firmware with a version", FIRMWARE_FIELDS, _firmware),
)
HARDWARE_BOM = bom_format("cyclonedx", "a hardware bill of materials in CycloneDX", "hbom", FACETS, KINDS)
