"""What the processors are prone to, and what AppArmor confines."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

COLLECTOR = Collector(
    "Vulnerabilities of the processors and AppArmor's profiles",
    Volatility.STATE,
    (
        Values("vulnerabilities.txt", "/sys/devices/system/cpu/vulnerabilities", ("*",), limit=16 * KIB),
        File("apparmor.txt", "/sys/kernel/security/apparmor/profiles", 64 * KIB),
    ),
)
