"""Containers and images, with what they were started with: environment and mounts are in their settings.

grep ends each file with a new line, so that the settings of each container are one line of JSON.
"""

from __future__ import annotations

from diag.nodekit.collector import KIB, MIB, Collector, Command, Kind, Volatility

DOCKER = "/usr/bin/docker"
SETTINGS = (
    "/usr/bin/find", "/var/lib/docker/containers", "-mindepth", "2", "-maxdepth", "2", "-name", "config.v2.json",
    "-size", "-256k", "-exec", "/usr/bin/grep", "-h", "-a", ".", "{}", "+",
)  # fmt: skip
COLLECTOR = Collector(
    "Docker's containers, their settings, and images by digest",
    Volatility.STATE,
    (
        Command(
            "containers.json", (DOCKER, "ps", "--all", "--no-trunc", "--format", "json"), 5.0, 256 * KIB, Kind.JSON,
            elevate=True, plain=True,
        ),
        Command(
            "images.json", (DOCKER, "images", "--digests", "--no-trunc", "--format", "json"), 5.0, 256 * KIB, Kind.JSON,
            elevate=True, plain=True,
        ),
        Command("settings.json", SETTINGS, limit=MIB, kind=Kind.JSON, elevate=True),
    ),
)  # fmt: skip
