"""What the software facet of a simulated node needs beyond what the checks read."""

import hashlib
import json

from sparkctl.lab.files_proc import SNAPS
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.recordings import packages
from sparkctl.lab.tree import Tree

MORE_PACKAGES = {
    "dpkg": "1.22.6ubuntu6.5",
    "systemd": "255.4-1ubuntu8.11",
    "fwupd": "2.0.20-1ubuntu2~24.04.2",
    "dmidecode": "3.5-3ubuntu0.1",
    "ethtool": "1:6.7-1build1",
    "tpm2-tools": "5.6-1build4",
    "docker-ce": "5:29.2.1-1~ubuntu.24.04~noble",
    "nvidia-container-toolkit": "1.18.0-1",
    "libnccl2": "2.28.3-1+cuda13.0",
    "nv-update-disable": "25.10-1",
    "dgx-dashboard": "0.27.1-1",
}
ALL_ARCHITECTURES = frozenset({"dgx-release", "nv-update-disable"})
REMOVED = {"unattended-upgrades": "2.9.1+nmu4ubuntu1"}
DOCKER = "/usr/bin/docker"
DOCKER_CONTAINERS = (DOCKER, "ps", "--all", "--no-trunc", "--format", "json")
DOCKER_IMAGES = (DOCKER, "images", "--digests", "--no-trunc", "--format", "json")
IMAGES = (("nvcr.io/nvidia/vllm", "25.12-py3"), ("nvcr.io/nvidia/cuda", "13.0.1-base-ubuntu24.04"))
LOCAL_UNIT = "site-metrics.service"
PINS = "Package: *nvidia*\nPin: origin developer.download.nvidia.com\nPin-Priority: -1\n"


def add_software(tree: Tree, node: NodeModel) -> None:
    """Packages, snaps, containers, a local unit, and what APT prefers and does by itself."""
    tree.files["/var/lib/dpkg/status"] = "\n".join(_paragraphs(node))
    for snap, revision in SNAPS:
        tree.folders.append(f"/snap/{snap}/{revision}")
        tree.links[f"/snap/{snap}/current"] = str(revision)
    _docker(tree, node)
    _units(tree)
    tree.files["/etc/apt/preferences.d/cuda-compute-repo-pin"] = PINS
    tree.files["/etc/apt/apt.conf.d/20auto-upgrades"] = (
        'APT::Periodic::Update-Package-Lists "0";\nAPT::Periodic::Unattended-Upgrade "0";\n'
    )


def installed_packages(node: NodeModel) -> dict[str, str]:
    """The version of each installed package, by its name."""
    installed = packages(node) | MORE_PACKAGES
    for release in node.kernels:
        version = release.removesuffix("-nvidia")
        installed |= {f"linux-image-{release}": f"{version}.{version.rpartition('-')[2][-2:]}"}
    return installed | dict(node.upgraded)


def _paragraphs(node: NodeModel) -> list[str]:
    installed = sorted(installed_packages(node).items())
    return [
        *(_paragraph(name, "install ok installed", version) for name, version in installed),
        *(_paragraph(name, "deinstall ok config-files", version) for name, version in REMOVED.items()),
    ]


def _paragraph(name: str, state: str, version: str) -> str:
    architecture = "all" if name in ALL_ARCHITECTURES else "arm64"
    return (
        f"Package: {name}\nStatus: {state}\nPriority: optional\nMaintainer: Simulated <lab@example.net>\n"
        f"Architecture: {architecture}\nVersion: {version}\nDescription: {name}\n simulated\n"
    )


def _docker(tree: Tree, node: NodeModel) -> None:
    tree.files[DOCKER] = "simulated\n"
    if "docker.service" not in dict(node.failed_units):
        tree.files["/run/docker.pid"] = "1377\n"
    images = [
        {"Repository": repository, "Tag": tag, "ID": _digest(tag), "Digest": _digest(repository + tag), "Size": "21GB"}
        for repository, tag in IMAGES
    ]
    state = "running" if node.gpu.processes else "exited"
    container = {"ID": _digest(node.name)[7:], "Names": "vllm", "Image": ":".join(IMAGES[0]), "State": state}
    container |= {"Command": '"vllm serve --api-key simulated"', "Labels": "", "Status": "Up 2 days"}
    tree.record_for_root(DOCKER_CONTAINERS, json.dumps(container) + "\n")
    tree.record_for_root(DOCKER_IMAGES, "".join(json.dumps(image) + "\n" for image in images))


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _units(tree: Tree) -> None:
    here, wanted = "/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"
    tree.files[f"{here}/{LOCAL_UNIT}"] = "[Unit]\nDescription=Simulated exporter of the site\n"
    tree.links[f"{wanted}/{LOCAL_UNIT}"] = f"{here}/{LOCAL_UNIT}"
    tree.files["/usr/lib/systemd/system/docker.service"] = "[Unit]\nDescription=Simulated\n"
    tree.links[f"{wanted}/docker.service"] = "/usr/lib/systemd/system/docker.service"
