"""Numbers that are known of a node, each with when it was so: what metrics are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sparkctl.export.events import OUTCOMES
from sparkctl.export.fields import flat
from sparkctl.export.node_fields import NODE_FIELDS, disk_bytes, processors
from sparkctl.export.subject import Subject


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name, what it says, where it comes from, and its unit in UCUM."""

    name: str
    help: str
    source: str
    unit: str = "1"

    @property
    def dotted(self) -> str:
        """Its name where dots part the words, and where the unit is no part of it."""
        bare = self.name.removesuffix("_seconds").removesuffix("_bytes").removesuffix("_ratio")
        return bare.replace("_", ".", 2)


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of a family; `at` is when it was so, and `labels` what tells it from the others of a node."""

    family: Family
    value: float
    at: datetime
    labels: tuple[tuple[str, str], ...] = ()


INFO = Family("sparkctl_node_info", "What a node is, as labels; always 1.", "(several)")
SIMULATED = Family("sparkctl_node_simulated", "Whether a node is a simulated one.", "(inventory) or (last visit)")
REPORTED = Family(
    "sparkctl_node_reported",
    "Whether a node answered its newest visit; absent when it was never visited.",
    "(last visit) outcome",
)
VISIT_AT = Family("sparkctl_node_visit_timestamp_seconds", "When a node was visited last.", "(last visit) ts", "s")
HEALTH_AT = Family(
    "sparkctl_node_health_timestamp_seconds", "When the findings of a node were made.", "(newest findings) ts", "s"
)
RESET_AT = Family(
    "sparkctl_node_reset_timestamp_seconds",
    "When a node was last asked how its boots ended.",
    "(newest reset reason) ts",
    "s",
)
FACET_AT = Family("sparkctl_facet_timestamp_seconds", "When a facet was collected last.", "(facets) seen", "s")
FACET_GAPS = Family("sparkctl_facet_gaps", "Fields of a facet that could not be read.", "(facets) gaps", "{field}")
COMPLETENESS = Family(
    "sparkctl_node_completeness_ratio", "Checks evaluated of those that apply.", "(newest findings) rollup.completeness"
)
CHECK = Family("sparkctl_check_status", "The status that a check has, as a label; always 1.", "(finding) status")
VALUE = Family(
    "sparkctl_check_value", "The value that a check judged, in the unit that is its label.", "(finding) value"
)
BOOT_END = Family("sparkctl_boot_end", "How the last boot ended, as labels; always 1.", "(newest reset reason) flat")
PROCESSORS = Family("sparkctl_node_processors", "Processors online.", "hardware.processors.types", "{cpu}")
MEMORY = Family("sparkctl_node_memory_bytes", "Memory as the kernel counts it.", "hardware.memory.total_bytes", "By")
DISKS = Family("sparkctl_node_disk_bytes", "Disks without removable ones.", "storage.disks", "By")
REBOOT = Family("sparkctl_node_reboot_required", "Whether packages want a reboot.", "os.reboot_required")
FAMILIES = (
    INFO, SIMULATED, REPORTED, VISIT_AT, HEALTH_AT, RESET_AT, FACET_AT, FACET_GAPS, COMPLETENESS, CHECK, VALUE,
    BOOT_END, PROCESSORS, MEMORY, DISKS, REBOOT,
)  # fmt: skip
"""Every metric, in the order in which they are written."""

INFO_LABELS = (
    "uuid", "key", "key_source", "serial", "vendor", "product", "site", "rack", "unit", "os", "dgx_os", "kernel",
    "nvidia_driver", "bios_version",
)  # fmt: skip


def measures(subject: Subject) -> Iterator[Measure]:
    """All numbers of a node. What is not known is not among them, and never zero instead."""
    known = flat(NODE_FIELDS, subject)
    yield Measure(INFO, 1, subject.at, tuple((name, str(known[name])) for name in INFO_LABELS if name in known))
    yield Measure(SIMULATED, int(subject.simulated), subject.at)
    if (last := subject.standing.last) is not None:
        yield Measure(REPORTED, int(bool(subject.reported)), last.ts)
        yield Measure(VISIT_AT, last.ts.timestamp(), last.ts)
    yield from _of_findings(subject)
    yield from _of_boots(subject)
    yield from _of_facets(subject)


def _of_findings(subject: Subject) -> Iterator[Measure]:
    at, rollup = subject.health_at, subject.rollup
    if at is None or rollup is None:
        return
    yield Measure(HEALTH_AT, at.timestamp(), at)
    yield Measure(COMPLETENESS, rollup.completeness, at)
    for found in subject.findings:
        reason = (("reason", found.reason.value),) if found.reason else ()
        yield Measure(CHECK, 1, at, (("check", found.check), ("status", found.status.value), *reason))
        judged = found.status in OUTCOMES and isinstance(found.value, int | float) and not isinstance(found.value, bool)
        if judged and isinstance(found.value, int | float):
            yield Measure(VALUE, found.value, at, (("check", found.check), ("unit", found.unit or "1")))


def _of_boots(subject: Subject) -> Iterator[Measure]:
    reset, end = subject.standing.reset, subject.boot_end
    if reset is None or subject.standing.reset_data is None:
        return
    yield Measure(RESET_AT, reset.ts.timestamp(), reset.ts)
    if end is not None:
        yield Measure(BOOT_END, 1, reset.ts, (("expected", end.flat.expected), ("how", end.flat.words)))


def _of_facets(subject: Subject) -> Iterator[Measure]:
    facets = subject.standing.facets
    for facet, known in facets.items():
        yield Measure(FACET_AT, known.seen.timestamp(), known.seen, (("facet", facet),))
        yield Measure(FACET_GAPS, len(known.document.get("gaps") or {}), known.seen, (("facet", facet),))
    if "hardware" in facets:
        for family, number in (
            (PROCESSORS, processors(subject)),
            (MEMORY, subject.fact("hardware.memory.total_bytes")),
        ):
            if number is not None:
                yield Measure(family, number, facets["hardware"].seen)
    if "storage" in facets and (size := disk_bytes(subject)) is not None:
        yield Measure(DISKS, size, facets["storage"].seen)
    if "os" in facets and (wanted := subject.fact("os.reboot_required")) is not None:
        yield Measure(REBOOT, int(wanted), facets["os"].seen)
