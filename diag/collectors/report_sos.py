"""What support of the operating system asks for: hundreds of small files and outputs, so: on request.

Only plugins that neither ask the network nor copy whole folders of `/sys` and `/proc`, and that every release since 4.0
has. `sos` leaves its files as they are instead of packing them, so that what it has is not lost where it is ended.
"""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Volatility
from diag.nodekit.isolated import Report

PLUGINS = (
    "block", "boot", "date", "devices", "dpkg", "filesys", "grub2", "hardware", "kdump", "md", "memory",
    "numa", "nvidia", "nvme", "pci", "process", "usb",
)  # fmt: skip

COLLECTOR = Collector(
    "Report of sos, with plugins for hardware, memory, disks and packages",
    Volatility.MOMENT,
    (
        Report(
            "sosreport",
            (
                "/usr/bin/sos", "report", "--batch", "--quiet", "--build", "--no-report", "--no-env-vars",
                "--tmp-dir", "{folder}", "--threads", "1", "--log-size", "1", "--plugin-timeout", "60",
                "--only-plugins", ",".join(PLUGINS),
            ),
            "sparkctl-sosreport",
            seconds=300,
            limit=24 * MIB,
            memory=1024 * MIB,
            devices=("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvme0 r", "/dev/nvme0n1 r"),
        ),
    ),
    opt_in=True,
    called="sosreport",
)  # fmt: skip
