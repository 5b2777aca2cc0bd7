"""Which processors are online, from /proc/cpuinfo, and how many the firmware described.

Arm kernels print no model name there; the part number is the name: 0xd85 is a Cortex-X925, 0xd87 a Cortex-A725
(Arm, Main ID Register of the two cores).
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.machine import Machine

CPUINFO = "/proc/cpuinfo"
PRESENT = "/sys/devices/system/cpu/present"
CORTEX_X925, CORTEX_A725 = "0xd85", "0xd87"
GB10_PARTS = {CORTEX_X925: 10, CORTEX_A725: 10}


@dataclass(frozen=True)
class Processors:
    """`online` counts processors, `parts` counts them by Arm part number (empty where the kernel names none)."""

    online: int
    parts: dict[str, int]


def online_processors(machine: Machine) -> Processors:
    """The processors that the kernel runs on; raises OSError, ValueError when the file lists none."""
    online = 0
    parts: dict[str, int] = {}
    for line in machine.read(CPUINFO).splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "processor":
            online += 1
        elif key == "CPU part":
            parts[value.lower()] = parts.get(value.lower(), 0) + 1
    if not online:
        raise ValueError(f"{CPUINFO} lists no processor")
    return Processors(online, parts)


def count_list(text: str) -> int:
    """How many numbers a kernel list holds: `0-9,12` is 11. Raises ValueError."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        size = int(last or first) - int(first) + 1
        if size < 1:
            raise ValueError(f"{part} is not a range of processors")
        count += size
    return count
