"""The services that NVIDIA adds to a Spark."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

UNITS = ("dgx-dashboard", "dgx-dashboard-admin", "nvidia-persistenced", "nvidia-sync", "docker", "containerd")
STATUS = ("systemctl", "status", "--no-pager", "--full", "--lines=0", *(f"{unit}.service" for unit in UNITS))
COLLECTOR = Collector(
    "State of the dashboard, the GPU's daemons and the container services",
    Volatility.STATE,
    (Command("nvidia.txt", STATUS, limit=64 * KIB),),
)
