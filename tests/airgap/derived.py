"""What a DGX Spark says of where its software comes from, and a bastion whose store has it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.airgap.gaps import Ran
from tests.support.command import sparkctl
from tests.support.facts import facet, remember

RING = "/usr/share/keyrings"
UBUNTU, NVIDIA, CUDA = f"{RING}/ubuntu-archive-keyring.gpg", f"{RING}/dgx.gpg", f"{RING}/cuda-archive-keyring.gpg"
KEY = b"\xc6\x00a key"
SHA256 = hashlib.sha256(KEY).hexdigest()


def source(uri: str, suites: str, components: str = "", **more: Any) -> dict[str, Any]:
    found = {"types": ["deb"], "uris": [uri], "suites": suites.split(), "components": components.split()}
    return {**found, "enabled": True, **more}


REAL = {
    "ubuntu.sources": source(
        "http://ports.ubuntu.com/ubuntu-ports/", "noble noble-backports noble-security noble-updates",
        "main multiverse restricted universe", signed_by=UBUNTU,
    ),
    "dgx.sources": source(
        "https://repo.download.nvidia.com/baseos/ubuntu/noble/arm64/", "noble noble-updates", "common dgx",
        signed_by=NVIDIA,
    ),
    "spark.sources": source(
        "https://repo.download.nvidia.com/spark/ubuntu/arm64/", "noble-updates", "common", signed_by=NVIDIA
    ),
    "cuda-compute-repo.sources": source(
        "https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/sbsa/", "/", signed_by=CUDA
    ),
    "nvhpc.sources": source("https://developer.download.nvidia.com/hpc-sdk/ubuntu/arm64/", "/", signed_by=CUDA),
    "canonical-nvidia-ubuntu-nvidia-desktop-edge-noble.sources": source(
        "https://snapshot.ppa.launchpadcontent.net/canonical-nvidia/nvidia-desktop-edge/ubuntu/", "noble", "main",
        signed_by="embedded",
    ),
    "nv-vulkan-desktop-ppa.sources": source(
        "https://snapshot.ppa.launchpadcontent.net/canonical-nvidia/vulkan/ubuntu/20261101T000000Z/", "noble", "main",
        signed_by="embedded",
    ),
    "ubuntu-esm-apps.sources": source(
        "https://esm.ubuntu.com/apps/ubuntu", "noble-apps-security noble-apps-updates", "main",
        signed_by=f"{RING}/ubuntu-pro-esm-apps.gpg",
    ),
    "ubuntu-esm-infra.sources": source(
        "https://esm.ubuntu.com/infra/ubuntu", "noble-infra-security noble-infra-updates", "main",
        signed_by=f"{RING}/ubuntu-pro-esm-infra.gpg",
    ),
    "ai-workbench-desktop.sources": source(
        "https://workbench.download.nvidia.com/stable/linux/debian", "default", "proprietary",
        signed_by=f"{RING}/ai-workbench.gpg",
    ),
}  # fmt: skip
"""The sources of a surveyed DGX Spark with DGX OS 7; keyrings and what the survey left blank are made up."""

PINS = {
    "cuda-repository-pin": {
        "packages": ["*nvidia-driver*", "libnvidia-*"], "pin": 'origin "developer.download.nvidia.com"', "priority": -1
    },
    "spark": {"packages": ["*"], "pin": "release o=NVIDIA, l=Spark", "priority": 600},
}  # fmt: skip
ELSE = {
    "packages": {"dpkg": "1.22.6", "libc6:armhf": "2.39"},
    "snaps": {"firefox": "7766", "snapd": "26867"},
    "python_packages": {"python3.12/torch": "2.9.0+cu130"},
    "docker_images": {
        "nvcr.io/nvidia/vllm:25.12-py3": {"id": "sha256:1d", "digest": f"sha256:{SHA256}"},
        "redis:7": {"id": "sha256:2d", "digest": f"sha256:{SHA256}"},
        "local/app:latest": {"id": "sha256:3d"},
    },
}
GUID = "c3cccaf0-9a3e-4ee2-992e-9f0cf9b55fa0"
FIRMWARE = {
    "bios": {},
    "fwupd": {
        GUID: {"name": "Embedded Controller", "version": "0x02000005", "flags": ["updatable"]},
        "nvme/Drive": {"name": "Drive", "flags": ["updatable"]},
    },
}


def keyrings(*paths: str) -> dict[str, Any]:
    return {path: {"sha256": SHA256, "size_bytes": len(KEY)} for path in paths}


def software(**data: Any) -> dict[str, Any]:
    whole = {"apt_sources": REAL, "apt_keyrings": keyrings(UBUNTU, NVIDIA, CUDA, f"{RING}/ai-workbench.gpg"), **data}
    return {key: value for key, value in whole.items() if value is not None}


class Site:
    """A bastion whose store has facts of spark01."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "mirror.yaml"
        (folder / "fleet.yaml").write_text("nodes: ['spark[01-02]']\n")

    def remember(self, data: Mapping[str, Any], gaps: Mapping[str, str] | None = None, **facets: Any) -> "Site":
        remember(self.folder / "state", 1, {"spark01": {"software": facet(data, gaps), **facets}})
        return self

    def run(self, *options: str, node: str = "spark01", form: str = "json") -> Ran:
        words = ("airgap", "mirror", "derive", "--from-node", node, "--format", form)
        where = ("--fleet", self.folder / "fleet.yaml", "--state", self.folder / "state", "--out", self.file)
        return sparkctl(*words, *where, *options, home=self.folder)

    def said(self) -> dict[str, Any]:
        ran = self.run()
        assert ran.returncode == 0, ran.stderr
        told: dict[str, Any] = json.loads(ran.stdout)
        return told

    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.file.read_text("ascii"))
        return found

    def bring_keys(self, said: Mapping[str, Any]) -> None:
        """Do what the steps say, with the key that the node had."""
        for step in said["next_steps"]:
            if step.startswith("scp "):
                place = Path(step.split()[2])
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(KEY)
