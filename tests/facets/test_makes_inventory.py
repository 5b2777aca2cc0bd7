"""Firmware, drivers and software of the lab's nodes: what differs by make and by fault, and what stays on the node."""

from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.document import encode
from diag.nodekit.facet import FacetTask
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.machine import Machine
from sparkctl.lab.characters import model_of
from sparkctl.lab.facts_firmware import capsules
from sparkctl.lab.makes import MAKES
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from tests.facets.harness import collected
from tests.support.trees import build_tree


def root_tree(folder: Path, make: str = "founders", fault: str | None = None) -> Path:
    write_tree(render(model_of("spark03", 1, make, fault)), folder / "spark03", Pool(folder / "pool"), 1_790_000_000.0)
    return root_view((folder / "spark03").resolve())


def data(name: str, root: Path) -> dict[str, Any]:
    found: dict[str, Any] = collected(name, root, "root")["data"]
    return found


@pytest.mark.parametrize("make", MAKES)
def test_the_raw_version_stays_and_only_one_vendor_is_decoded(make: str, tmp_path: Path) -> None:
    firmware = data("firmware", root_tree(tmp_path, make))
    for capsule in capsules(MAKES[make]):
        device = firmware["fwupd"][capsule.guid]
        assert device["version"] == capsule.version
        assert firmware["esrt"][capsule.guid]["version"] == capsule.number
        assert (device["version_decoded"] is not None) == (device["vendor"] == "NVIDIA")


def test_a_missing_driver_is_missing_everywhere(tmp_path: Path) -> None:
    root = root_tree(tmp_path, fault="driver-missing")
    drivers = data("drivers", root)
    assert drivers["nvidia"] == {
        "loaded": False, "version": None, "flavour": None, "userspace": None, "running_kernel_module": None,
        "next_kernel_module": None,
    }  # fmt: skip
    assert not [module for module in drivers["modules"] if module.startswith("nvidia")]
    assert data("firmware", root)["gpus"] == {}
    assert "nvidia-driver-580-open" not in data("software", root)["packages"]


def test_an_absent_connectx_leaves_neither_firmware_nor_module(tmp_path: Path) -> None:
    root = root_tree(tmp_path, fault="connectx-absent")
    assert set(data("firmware", root)["nics"]) == {"0009:01:00.0"}
    assert "mlx5_core" not in data("drivers", root)["modules"]


def test_a_newer_kernel_has_its_own_driver(tmp_path: Path) -> None:
    root = root_tree(tmp_path, fault="reboot-pending")
    assert "linux-image-6.17.0-1018-nvidia" in data("software", root)["packages"]
    assert data("drivers", root)["nvidia"]["next_kernel_module"] == "kernel/nvidia-580-open/nvidia.ko.zst"


def test_the_command_of_a_container_stays_on_the_node(tmp_path: Path) -> None:
    root = root_tree(tmp_path)
    assert "api-key" in (root / "cmd/commands.json").read_text("utf-8")
    assert b"api-key" not in judged(load_facets()["software"], root)


def test_a_desktop_of_packages_fits_and_images_go_before_packages(tmp_path: Path) -> None:
    names = ["dpkg", *(f"libsimulated-component{number}-dev" for number in range(2500))]
    paragraphs = [
        f"Package: {name}\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1:{number}-0ubuntu0.24.04.1\n"
        for number, name in enumerate(names)
    ]
    build_tree(tmp_path, files={"/var/lib/dpkg/status": "\n".join(paragraphs)})
    task = load_facets()["software"]
    assert set(data("software", tmp_path)["packages"]) == set(names)
    assert len(judged(task, tmp_path)) < 150_000
    assert [drop.part for drop in task.drops] == [
        "software.docker_images",
        "software.podman_images",
        "software.packages",
    ]


def test_half_a_list_of_packages_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diag.nodekit.dpkg.MAX_STATUS", 60)
    text = (
        "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nVersion: 1\n"
    )
    build_tree(tmp_path, files={"/var/lib/dpkg/status": text})
    whole = collected("software", tmp_path, "none")
    assert whole["data"]["packages"] is None
    of_dpkg = ("packages", "packages_not_installed", "held_packages", "local_units")
    assert [(gap["path"], gap["reason"]) for gap in whole["gaps"]] == [(path, "precondition") for path in of_dpkg]


def judged(task: FacetTask, root: Path) -> bytes:
    documents, bugs = task.judge(Machine(str(root), "root", frozenset(task.facet.elevated)))
    assert bugs == []
    return encode(documents[0])
