"""What the services say that a Spark is used with: containers, GPU, firmware, network, its dashboard."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Kind, Volatility

UNITS = ("docker", "containerd", "nvidia-persistenced", "dgx-dashboard", "fwupd", "NetworkManager", "kdump-tools")
MESSAGES = (
    "/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--lines=3000", "--reverse",
    *(f"--unit={unit}.service" for unit in UNITS),
)  # fmt: skip
COLLECTOR = Collector(
    "Journal of Docker, the GPU's daemons, fwupd, NetworkManager and the dashboard",
    Volatility.LOGS,
    (Command("services.json", MESSAGES, 8.0, 2 * MIB, Kind.JOURNAL, elevate=True, plain=True),),
)
