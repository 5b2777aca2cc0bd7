"""What the drive says of itself."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Values, Volatility

NVME = "/usr/sbin/nvme"
ASKED = {
    "identity": ("id-ctrl", "-o", "json"), "health": ("smart-log", "-o", "json"), "errors": ("error-log", "-o", "json"),
    "firmware": ("fw-log", "-o", "json"), "self_tests": ("self-test-log", "-o", "json"),
}  # fmt: skip
COLLECTOR = Collector(
    "NVMe drive: identity, health, errors, firmware, self-tests",
    Volatility.FIXED,
    (
        *(
            Command(f"{name}.json", (NVME, *words, "/dev/nvme0"), 4.0, 64 * KIB, Kind.JSON, elevate=True)
            for name, words in ASKED.items()
        ),
        Values(
            "controllers.txt", "/sys/class/nvme", ("*/model", "*/serial", "*/firmware_rev", "*/state", "*/transport")
        ),
    ),
)
