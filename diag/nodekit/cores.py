"""The processors by type, their frequencies and their caches.

Arm kernels print no model name; implementer and part number are the name (Arm, Main ID Register). Two types in one
machine are usual there, so everything is told by which processors it holds for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from diag.nodekit.folder import MAX_NUMBER, children, number, value
from diag.nodekit.machine import Machine
from diag.nodekit.processors import CORTEX_A725, CORTEX_X925, CPUINFO
from diag.nodekit.words import name, word

T = TypeVar("T", int, str)
CPU = "/sys/devices/system/cpu"
MAX_CPUINFO_BYTES = 4 * 1024 * 1024
MAX_PROCESSORS = 1024
MAX_CACHES = 8  # of one processor
ARM = "0x41"
PART_NAMES = {(ARM, CORTEX_X925): "Cortex-X925", (ARM, CORTEX_A725): "Cortex-A725"}
CACHE_LETTERS = {"Data": "d", "Instruction": "i", "Unified": ""}
SIZE = re.compile(r"([0-9]+)([KMG]?)")
SIZE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
KHZ = 1000  # kHz in a MHz


def core_types(machine: Machine) -> dict[str, dict[str, Any]]:
    """The types of the processors that are online; raises OSError, ValueError when the kernel lists none."""
    found = parse_cpuinfo(machine.read(CPUINFO, MAX_CPUINFO_BYTES))
    if not found:
        raise ValueError(f"{CPUINFO} lists no processor")
    return found


def parse_cpuinfo(text: str) -> dict[str, dict[str, Any]]:
    """Types by implementer and part (Arm), or by vendor, family and model (others); raises ValueError."""
    types: dict[str, dict[str, Any]] = {}
    members: dict[str, list[int]] = {}
    for block in re.split(r"\n\s*\n", text):
        fields = dict(_pairs(block))
        if "processor" in fields and fields["processor"].isdecimal():
            key, described = _arm(fields) if "CPU part" in fields else _other(fields)
            types[key] = described
            members.setdefault(key, []).append(int(fields["processor"]))
    return {key: {**types[key], "count": len(cpus), "cpus": spans(cpus)} for key, cpus in members.items()}


def _pairs(block: str) -> Iterable[tuple[str, str]]:
    for line in block.splitlines():
        key, _, rest = line.partition(":")
        yield key.strip(), rest.strip()


def _arm(fields: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    implementer, part = fields.get("CPU implementer", "").lower(), fields["CPU part"].lower()
    variant, revision = fields.get("CPU variant", "0x0"), fields.get("CPU revision", "0")
    described = {
        "name": PART_NAMES.get((implementer, part)),
        "implementer": word(implementer),
        "part": word(part),
        "revision": word(f"r{int(variant, 16)}p{revision}"),
    }
    return name(f"{implementer}-{part}"), described


def _other(fields: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    family, model = fields.get("cpu family", ""), fields.get("model", "")
    described = {
        "name": word(fields.get("model name")),
        "implementer": word(fields.get("vendor_id")),
        "part": word(f"{family}-{model}".strip("-")),
        "revision": word(fields.get("stepping")),
    }
    return name("-".join(part for part in (fields.get("vendor_id", ""), family, model) if part)), described


def frequency(machine: Machine) -> dict[str, Any] | None:
    """What the policies of cpufreq allow, None where there are none; raises OSError, ValueError."""
    policies = children(machine, f"{CPU}/cpufreq", r"policy[0-9]+", MAX_PROCESSORS)
    lowest: dict[int, int] = {}
    highest: dict[int, int] = {}
    drivers, governors = set(), set()
    for policy in policies:
        here = f"{CPU}/cpufreq/{policy}"
        drivers.add(value(machine, f"{here}/scaling_driver"))
        governors.add(value(machine, f"{here}/scaling_governor"))
        slow, fast = (number(machine, f"{here}/cpuinfo_{which}_freq") for which in ("min", "max"))
        own = policy[len("policy") :]
        for cpu in (machine.read_or_none(f"{here}/related_cpus") or own).split():
            lowest.update({} if slow is None else {int(cpu): slow // KHZ})
            highest.update({} if fast is None else {int(cpu): fast // KHZ})
    if not policies:
        return None
    return {
        "drivers": sorted(filter(None, drivers)),
        "governors": sorted(filter(None, governors)),
        "min_mhz": by_processors(lowest),
        "max_mhz": by_processors(highest),
    }


def current_mhz(machine: Machine) -> dict[str, int]:
    """Average frequency since the last look, of the processors that were busy; sleeping ones have none.

    `scaling_cur_freq` is left alone: it wakes every core and on these machines shows more than their maximum.
    """
    policies = children(machine, f"{CPU}/cpufreq", r"policy[0-9]+", MAX_PROCESSORS)
    read = {policy: number(machine, f"{CPU}/cpufreq/{policy}/cpuinfo_avg_freq") for policy in policies}
    return {policy: khz // KHZ for policy, khz in read.items() if khz is not None}


def caches(machine: Machine) -> dict[str, dict[str, Any]]:
    """Caches by level and kind (`L1d`), each instance once; raises OSError, ValueError."""
    seen: dict[str, dict[str, int]] = {}
    for cpu in children(machine, CPU, r"cpu[0-9]+", MAX_PROCESSORS):
        for index in children(machine, f"{CPU}/{cpu}/cache", r"index[0-9]+", MAX_CACHES):
            here = f"{CPU}/{cpu}/cache/{index}"
            level, kind, size = (value(machine, f"{here}/{file}") for file in ("level", "type", "size"))
            if level is not None and size is not None:
                shared = value(machine, f"{here}/shared_cpu_list") or cpu[len("cpu") :]
                seen.setdefault(name(f"L{level}{CACHE_LETTERS.get(kind or '', '')}"), {})[shared] = parse_size(size)
    return {cache: _cache(instances) for cache, instances in seen.items()}


def _cache(instances: Mapping[str, int]) -> dict[str, Any]:
    sizes = {cpu: size for shared, size in instances.items() for cpu in parse_spans(shared)}
    total = min(sum(instances.values()), MAX_NUMBER)
    return {"instances": len(instances), "total_bytes": total, "size_bytes": by_processors(sizes)}


def parse_size(text: str) -> int:
    """Bytes of `64K`; raises ValueError."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not the size of a cache")
    return min(int(match[1]) * SIZE_UNITS[match[2]], MAX_NUMBER)


def by_processors(values: Mapping[int, T]) -> dict[str, T]:
    """Equal values together, by the processors that have them: `{"0-4": 2808, "5-9": 3900}`."""
    groups: dict[T, list[int]] = {}
    for cpu, one in values.items():
        groups.setdefault(one, []).append(cpu)
    return {name(spans(cpus)): one for one, cpus in groups.items()}


def spans(numbers: Iterable[int]) -> str:
    """Numbers as the kernel lists them: `0-4,10-14`."""
    runs: list[list[int]] = []
    for one in sorted(set(numbers)):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def parse_spans(text: str) -> list[int]:
    """The numbers of a kernel list; raises ValueError."""
    found: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers = range(int(first), int(last or first) + 1)
        if len(numbers) > MAX_PROCESSORS:
            raise ValueError(f"{part} is not a range of processors")
        found += numbers
    return found
