"""What GRUB will start, and with which words."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Values, Volatility

COLLECTOR = Collector(
    "Settings and menu of the boot loader, and the kernels that are there",
    Volatility.STATE,
    (
        Values("grub.txt", "/etc/default", ("grub", "grub.d/*"), limit=64 * KIB),
        File("grub_menu.txt", "/boot/grub/grub.cfg", 128 * KIB, elevate=True),
        File("grub_environment.txt", "/boot/grub/grubenv", 4 * KIB),
        Command("kernels.txt", ("ls", "-l", "/boot"), limit=32 * KIB),
    ),
)
