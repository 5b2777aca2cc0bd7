"""What was installed, upgraded and removed, by whom."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Keep, Volatility

APT = "/var/log/apt"
UPGRADES = "/var/log/unattended-upgrades"
COLLECTOR = Collector(
    "Logs of dpkg, APT and unattended-upgrades",
    Volatility.LOGS,
    (
        File("dpkg.txt", "/var/log/dpkg.log", 512 * KIB, keep=Keep.NEWEST),
        File("apt_history.txt", f"{APT}/history.log", 256 * KIB, keep=Keep.NEWEST),
        File("apt_terminal.txt", f"{APT}/term.log", 512 * KIB, keep=Keep.NEWEST, elevate=True),
        File("unattended.txt", f"{UPGRADES}/unattended-upgrades.log", 256 * KIB, keep=Keep.NEWEST),
        File("unattended_dpkg.txt", f"{UPGRADES}/unattended-upgrades-dpkg.log", 256 * KIB, keep=Keep.NEWEST),
    ),
)
