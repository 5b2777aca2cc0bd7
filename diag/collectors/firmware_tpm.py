"""The TPM: what it measured at the start, and what it is."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, File, Kind, Values, Volatility

LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"
COLLECTOR = Collector(
    "Measurements of the TPM, their log and its properties",
    Volatility.FIXED,
    (
        Values("measurements.txt", "/sys/class/tpm", ("*/tpm_version_major", "*/pcr-*/*"), limit=32 * KIB),
        File("measurement_log.bin", LOG, 512 * KIB, Kind.BINARY, elevate=True),
        Command("properties.txt", ("/usr/bin/tpm2_getcap", "properties-fixed"), limit=32 * KIB, elevate=True),
    ),
)
