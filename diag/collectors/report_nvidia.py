"""What NVIDIA asks for with every report of a bug. It takes locks of the driver for a moment, so: on request.

In its safe mode it asks the driver only for its log. Where Mellanox's tools are installed it would load a module, reset
counters of switches and take locks of adapters all the same, so it does not find those tools.
"""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Volatility
from diag.nodekit.isolated import Report

MELLANOX = ("mst", "mlxlink", "mlxreg", "mstdump", "resourcedump")

COLLECTOR = Collector(
    "NVIDIA's own report of a bug, in its safe mode",
    Volatility.MOMENT,
    (
        Report(
            "nvidia-bug-report",
            ("/usr/bin/nvidia-bug-report.sh", "--safe-mode", "--output-file", "{folder}/nvidia-bug-report.log"),
            "sparkctl-nvidia-bug-report",
            seconds=120,
            limit=16 * MIB,
            memory=512 * MIB,
            hidden=tuple(f"-/usr/bin/{tool}" for tool in MELLANOX),
            devices=("/dev/nvidiactl", "/dev/nvidia0"),
        ),
    ),
    opt_in=True,
    called="nvidia-bug-report",
)
