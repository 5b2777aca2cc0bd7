"""What the firmware says of the machine's parts."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Kind, Volatility

TABLES = "/sys/firmware/dmi/tables"
COLLECTOR = Collector(
    "SMBIOS, in words and as it is",
    Volatility.FIXED,
    (
        Command("dmidecode.txt", ("/usr/sbin/dmidecode",), limit=256 * KIB, elevate=True),
        File("smbios.bin", f"{TABLES}/DMI", 256 * KIB, Kind.BINARY, elevate=True),
        File("smbios_entry.bin", f"{TABLES}/smbios_entry_point", 4 * KIB, Kind.BINARY, elevate=True),
    ),
)
