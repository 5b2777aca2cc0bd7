"""What the memory checks judge: sizes beside pressure, because a size alone does not tell a node in trouble."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.proc_files import Pressure, meminfo, pressure

GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """Sizes in bytes as /proc/meminfo names them; without `pressure`, `trouble` says why it could not be read."""

    sizes: dict[str, int]
    pressure: Pressure | None
    trouble: Exception | None = None


def observe_memory(machine: Machine) -> Memory:
    """Read sizes and pressure; raises OSError, ValueError for the sizes."""
    sizes = meminfo(machine)
    try:
        return Memory(sizes, pressure(machine, "memory"))
    except (Unevaluated, OSError, ValueError) as trouble:
        return Memory(sizes, None, trouble)
