"""Software: packages, snaps, containers, local units, and where updates come from.

Of pip's packages only those for the whole machine are collected: the others live in as many environments as a node has
projects.
"""

from __future__ import annotations

from typing import Any

from diag.nodekit.apt_conf import CONF_FOLDER, automatic_updates
from diag.nodekit.apt_keyrings import apt_keyrings
from diag.nodekit.apt_sources import APT, KEYRINGS, apt_pins, apt_sources
from diag.nodekit.containers import (
    DOCKER_CONTAINERS,
    DOCKER_IMAGES,
    ELEVATED,
    PODMAN_CONTAINERS,
    PODMAN_IMAGES,
    Listed,
    docker_containers,
    docker_images,
    podman_containers,
    podman_images,
)
from diag.nodekit.dpkg import STATUS, Packages, parse_status, read_status
from diag.nodekit.facet import Facet, Look
from diag.nodekit.local_units import FOLDERS, local_units
from diag.nodekit.machine import Machine
from diag.nodekit.python_packages import LIBRARIES, python_packages
from diag.nodekit.words import bounded, name

FACET = Facet(title="Software", seconds=16.0, elevated=ELEVATED)
DROPS = ("docker_images", "podman_images", "packages")
SNAP = "/snap"
MAX_SNAPS = 300
BY_DPKG = ("packages_not_installed", "held_packages", "local_units")  # cannot be told without it, as the packages


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    packages = look.at("packages", lambda: _packages(machine), STATUS, also=BY_DPKG)
    containers = look.at("docker_containers", lambda: docker_containers(machine), " ".join(DOCKER_CONTAINERS))
    images = look.at(
        "docker_images",
        lambda: docker_images(machine),
        " ".join(DOCKER_IMAGES),
        also=("docker_containers.*.image_id",),
    )
    sources = look.at("apt_sources", lambda: apt_sources(look), APT, also=(KEYRINGS,))
    look.volatile["container_states"] = containers.states if containers else {}
    return {
        **_of_dpkg(packages),
        "python_packages": look.at("python_packages", lambda: python_packages(machine), LIBRARIES),
        "snaps": look.at("snaps", lambda: snaps(machine), SNAP),
        "docker_containers": _with_ids(containers, images),
        "docker_images": images,
        "podman_containers": look.at("podman_containers", lambda: podman_containers(machine), PODMAN_CONTAINERS[1]),
        "podman_images": look.at("podman_images", lambda: podman_images(machine), PODMAN_IMAGES[1]),
        "local_units": look.at(
            "local_units", lambda: local_units(machine, packages.units if packages else ()), FOLDERS[0]
        ),
        "apt_sources": sources,
        KEYRINGS: look.at(KEYRINGS, lambda: apt_keyrings(look, _signed_by(sources)), APT),
        "apt_pins": look.at("apt_pins", lambda: apt_pins(look), APT),
        "automatic_updates": look.at("automatic_updates", lambda: automatic_updates(machine), CONF_FOLDER),
    }


def snaps(machine: Machine) -> dict[str, str]:
    """Revisions by snap, as the link `current` of each tells; none on a machine without snaps."""
    revisions = {snap: machine.link_name(f"{SNAP}/{snap}/current") for snap in machine.names(SNAP)}
    return bounded({name(snap): name(rev) for snap, rev in revisions.items() if rev is not None}, MAX_SNAPS, "snaps")


def _packages(machine: Machine) -> Packages | None:
    text = read_status(machine)
    return None if text is None else parse_status(text)


def _of_dpkg(packages: Packages | None) -> dict[str, Any]:
    if packages is None:
        return {}
    return {
        "packages": packages.installed,
        "packages_not_installed": {
            package: {"state": state, "version": version} for package, (state, version) in packages.other.items()
        },
        "held_packages": sorted(packages.held),
    }


def _with_ids(containers: Listed | None, images: dict[str, Any] | None) -> dict[str, Any] | None:
    """The containers with the id of their image: Docker shows a name only while that still is the container's image."""
    if containers is None:
        return None
    known = {reference: image["id"] for reference, image in (images or {}).items()}
    return {
        key: {**container, "image_id": known.get(container["image"]) or _own_id(container["image"])}
        for key, container in containers.things.items()
    }


def _signed_by(sources: dict[str, Any] | None) -> list[str | None]:
    return [source["signed_by"] for source in (sources or {}).values()]


def _own_id(image: str) -> str | None:
    return image if image.startswith("sha256:") else None
