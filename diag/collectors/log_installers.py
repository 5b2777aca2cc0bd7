"""How the system, its drivers and its first start were set up."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Keep, Values, Volatility

COLLECTOR = Collector(
    "Logs of cloud-init, the driver's installer and DKMS",
    Volatility.LOGS,
    (
        File("cloud_init.txt", "/var/log/cloud-init.log", 512 * KIB, keep=Keep.NEWEST),
        File("cloud_init_output.txt", "/var/log/cloud-init-output.log", 128 * KIB, keep=Keep.NEWEST),
        Values("cloud_init_state.txt", "/run/cloud-init", ("status.json", "result.json", "ds-identify.log")),
        File("nvidia_installer.txt", "/var/log/nvidia-installer.log", 256 * KIB, keep=Keep.NEWEST),
        Values("dkms_builds.txt", "/var/lib/dkms", ("*/*/build/make.log", "*/*/*/*/log/make.log"), limit=256 * KIB),
    ),
)
