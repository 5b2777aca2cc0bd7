"""What the firmware starts, and whose signatures it trusts."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Boot entries, Secure Boot and machine owner keys",
    Volatility.STATE,
    (
        Command("entries.txt", ("efibootmgr", "--verbose"), limit=64 * KIB),
        Command("secure_boot.txt", ("mokutil", "--sb-state"), limit=4 * KIB),
        Command("owner_keys.txt", ("mokutil", "--list-enrolled"), limit=64 * KIB),
        Command("variables.txt", ("ls", "-l", "/sys/firmware/efi/efivars"), limit=64 * KIB),
    ),
)
