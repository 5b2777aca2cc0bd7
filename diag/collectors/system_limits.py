"""What users and services are limited to, and which settings are loaded at the start."""

from __future__ import annotations

from diag.nodekit.collector import Collector, Values, Volatility

FILES = (
    "security/limits.conf", "security/limits.d/*", "sysctl.conf", "sysctl.d/*", "modprobe.d/*", "modules-load.d/*",
    "systemd/*.conf", "systemd/*.conf.d/*", "udev/rules.d/*", "environment",
)  # fmt: skip
COLLECTOR = Collector(
    "Limits, settings of the kernel and its modules, of systemd and udev",
    Volatility.STATE,
    (Values("settings.txt", "/etc", FILES),),
)
