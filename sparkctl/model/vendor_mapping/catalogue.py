"""Every tool of the vendor by the name that its documents bear."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sparkctl.model.vendor_mapping import controls, reports, scripts
from sparkctl.model.vendor_mapping.claims import Part, Said
from sparkctl.model.vendor_mapping.outline import Outline


@dataclass(frozen=True, slots=True)
class Tool:
    """The outline of what a tool writes, and what of it means a field of ours."""

    outline: Outline
    mapping: Callable[[Part], Iterator[Said]]


def _nothing(_: Part) -> Iterator[Said]:
    yield from ()


TOOLS: Mapping[str, Tool] = {
    "device_identity": Tool(reports.IDENTITY, reports.device_identity),
    "hardware_config": Tool(reports.HARDWARE, reports.hardware_config),
    "firmware_reporter": Tool(reports.FIRMWARE, reports.firmware_reporter),
    "os_build_identity_reporter": Tool(reports.OS_BUILD, reports.os_build_identity),
    "os_build_identity": Tool(reports.OS_BUILD, reports.os_build_identity),
    "driver_inventory_reporter": Tool(reports.DRIVERS, reports.driver_inventory_reporter),
    "software_inventory_reporter": Tool(controls.SOFTWARE, controls.software_inventory_reporter),
    "spark_diagctl": Tool(controls.DIAGNOSIS, controls.spark_diagctl),
    "spark_updatectl": Tool(controls.UPDATES, controls.spark_updatectl),
    "reset_reason_reporter": Tool(controls.RESET, controls.reset_reason_reporter),
}
"""Tools that write `data`; the first name is that in `meta.tool`."""

SCRIPTS: Mapping[str, Tool] = {
    name: Tool(outline, scripts.MAPPINGS.get(name, _nothing)) for name, outline in scripts.SCRIPTS.items()
}
"""Scripts that write their fields on the top level."""

UNKNOWN = Tool({}, _nothing)
"""A tool that nobody told us of: every field of its data is unknown."""


def tool_named(name: str) -> Tool:
    """A tool by name, with or without the ending of its program."""
    return TOOLS.get(name.removesuffix(".py"), UNKNOWN)
