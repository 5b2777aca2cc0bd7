"""What is loaded into the kernel, and with which parameters."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

COLLECTOR = Collector(
    "Modules with versions and parameters",
    Volatility.BOOT,
    (
        File("modules.txt", "/proc/modules", limit=64 * KIB),
        Values("module_versions.txt", "/sys/module", ("*/version", "*/srcversion", "*/taint"), limit=64 * KIB),
        Values("module_parameters.txt", "/sys/module", ("*/parameters/*",), limit=256 * KIB, seconds=5.0),
    ),
)
