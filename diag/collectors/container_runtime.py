"""How containers are run, and which devices they are given."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Kind, Values, Volatility

COLLECTOR = Collector(
    "Settings of Docker, containerd and NVIDIA's container runtime",
    Volatility.STATE,
    (
        File("docker_daemon.json", "/etc/docker/daemon.json", 64 * KIB, Kind.JSON),
        Values("runtime.txt", "/etc", ("nvidia-container-runtime/config.toml", "containerd/config.toml", "cdi/*")),
        Values("devices.txt", "/var/run/cdi", ("*",)),
    ),
)
