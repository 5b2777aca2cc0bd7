"""Links, power and error counters of the functions on the bus."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Values, Volatility

FILES = (
    "vendor", "device", "class", "enable", "power_state", "current_link_speed", "current_link_width",
    "max_link_speed", "max_link_width", "aer_dev_*", "numa_node", "reset_method", "d3cold_allowed",
)  # fmt: skip
COLLECTOR = Collector(
    "PCIe links, power states and error counters",
    Volatility.BOOT,
    (Values("functions.txt", "/sys/bus/pci/devices", tuple(f"*/{file}" for file in FILES), limit=256 * KIB),),
)
