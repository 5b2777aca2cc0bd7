"""Which system this is, and where its updates stand."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

FILES = ("os-release", "dgx-release", "fastos-release", "lsb-release", "machine-id", "timezone", "default/locale")
COLLECTOR = Collector(
    "Release of DGX OS, its OTA updates, and reboots that are waited for",
    Volatility.STATE,
    (
        Values("release.txt", "/etc", FILES, limit=64 * KIB),
        Values("reboot.txt", "/run", ("reboot-required", "reboot-required.pkgs"), limit=16 * KIB),
        Command("ota_recipes.txt", ("ls", "-l", "/opt/nvidia/spark-ota-check/metadata"), limit=16 * KIB),
        Command("host.txt", ("hostnamectl", "status"), limit=8 * KIB),
    ),
)
