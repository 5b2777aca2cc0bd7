"""Which ACPI tables there are, and those that tell of hardware errors."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Kind, Values, Volatility

TABLES = "/sys/firmware/acpi/tables"
COLLECTOR = Collector(
    "ACPI: list of tables, error records (BERT, HEST), devices and device tree",
    Volatility.FIXED,
    (
        Command("tables.txt", ("find", TABLES, "-ls"), limit=64 * KIB),
        File("bert.bin", f"{TABLES}/BERT", 64 * KIB, Kind.BINARY, elevate=True),
        File("bert_record.bin", f"{TABLES}/data/BERT", 128 * KIB, Kind.BINARY, elevate=True),
        File("hest.bin", f"{TABLES}/HEST", 64 * KIB, Kind.BINARY, elevate=True),
        Values("devices.txt", "/sys/bus/acpi/devices", ("*/hid", "*/uid", "*/path", "*/status")),
        Values("device_tree.txt", "/sys/firmware/devicetree/base", ("model", "compatible"), limit=16 * KIB),
    ),
)
