"""The few facts about a machine that a vendor asks for first."""

from collections.abc import Iterator, Mapping
from typing import Any

from sparkctl.model.bundle_page import Fact
from sparkctl.model.facets.paths import from_text, values
from sparkctl.model.facts import FactsData
from sparkctl.model.printable import printable

_ASKED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("identity", "product", ("smbios.sys_vendor", "smbios.product_name", "smbios.product_version")),
    ("identity", "board", ("smbios.board_vendor", "smbios.board_name", "smbios.board_version")),
    ("identity", "serial", ("serial",)),
    ("os", "DGX OS", ("dgx.version",)),
    ("os", "system", ("distribution.pretty_name",)),
    ("os", "kernel", ("kernel.running",)),
    ("os", "next kernel", ("kernel.next_boot",)),
    ("drivers", "NVIDIA driver", ("nvidia.version", "nvidia.flavour")),
    ("drivers", "CUDA", ("cuda_default",)),
    ("firmware", "BIOS", ("bios.version", "bios.date")),
    ("firmware", "SoC", ("smbios.FLASH.version",)),
    ("firmware", "embedded controller", ("smbios[EC Firmware].version",)),
    ("firmware", "USB power delivery", ("smbios[PD Firmware].version",)),
    ("firmware", "VBIOS", ("gpus.*.vbios",)),
    ("firmware", "ConnectX", ("nics.*.version",)),
    ("firmware", "drive", ("drives.*",)),
    ("hardware", "GPU", ("gpus.*.name",)),
    ("hardware", "drive model", ("nvme.*.model",)),
    ("security", "Secure Boot", ("secure_boot",)),
)
"""Facet, what people call it, and the fields that say it, side by side."""
_WIDE = 200


def first_facts(data: FactsData) -> list[Fact]:
    """Those that are known, in the order in which they are asked; a field that could not be read is left out."""
    facets = data.facets.model_dump(mode="json", exclude_none=True)
    return [
        fact
        for part in dict.fromkeys(part for part, _, _ in _ASKED)
        for fact in facts_of(part, facets.get(part, {}).get("data"))
    ]


def facts_of(facet: str, data: Mapping[str, Any] | None) -> Iterator[Fact]:
    """Those that one facet says, in the order in which they are asked."""
    for part, name, fields in _ASKED:
        if part == facet and (words := " ".join(_words(data, fields))):
            yield Fact(part=part, name=name, value=printable(words, _WIDE))


def _words(data: Mapping[str, Any] | None, fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        found = dict.fromkeys(_word(value) for value in values(from_text(field), data or {}) if value is not None)
        if found:
            yield ", ".join(found)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
