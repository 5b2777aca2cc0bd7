"""The files of the GPU's kernel driver."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

FILES = ("version", "params", "registry", "warnings/*", "gpus/*/*", "capabilities/*")
COLLECTOR = Collector(
    "State and parameters of the GPU driver",
    Volatility.BOOT,
    (
        Values("driver.txt", "/proc/driver/nvidia", FILES),
        Command("module.txt", ("modinfo", "nvidia"), limit=64 * KIB),
    ),
)
