"""How the kernel was started, and what taints it."""

from __future__ import annotations

from diag.nodekit.collector import Collector, Values, Volatility

COLLECTOR = Collector(
    "Command line, version, taint and lock-down of the kernel",
    Volatility.BOOT,
    (
        Values(
            "start.txt",
            "/proc",
            ("cmdline", "version", "bootconfig", "sys/kernel/tainted", "sys/kernel/random/boot_id", "devices"),
        ),
        Values("security.txt", "/sys/kernel/security", ("lockdown", "lsm")),
    ),
)
