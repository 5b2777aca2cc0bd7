"""The OTA recipes of a simulated node: a few releases, in the form that DGX OS keeps them."""

import json

from sparkctl.lab.node_model import DRIVER, KERNEL, OLDER_KERNEL, NodeModel
from sparkctl.lab.tree import Tree

METADATA = "/opt/nvidia/spark-ota-check/metadata"
# Release: name, title, date, and the versions of dgx-release, the driver, the kernel, SOCFW, EC and USBPD.
RELEASES = {
    "2": (
        "OTA2", "February 2026", "2026-02-12", "7.4.0", "580.126.09", OLDER_KERNEL, "2.148.24", "2.76.19", "0.5.7",
    ),
    "2.2": ("OTA2.2", "March 2026", "2026-03-31", "7.4.0", DRIVER, KERNEL, "2.150.3", "2.78.24", "0.5.7"),
    "2604-ebeta": (
        "OTA2604-ebeta", "April 2026 (beta)", "2026-03-31", "7.4.9", DRIVER, KERNEL, "2.152.15", "3.3.2", "0.5.22",
    ),
    "2607": (
        "OTA2607", "July 2026", "2026-07-15", "7.5.0", "580.159.03", "6.17.0-1022-nvidia", "2.155.11", "3.5.8",
        "0.5.22",
    ),
}  # fmt: skip
UNCHANGED = {"nv-update-disable": "25.10-1", "nvidia-container-toolkit": "1.18.0-1"}
FIRMWARE_GUIDS = {
    "SOCFW": "b488217b-3895-4fc0-b1bf-ab7005a2d45a",
    "EC": "3d13c989-e6a8-4ead-95ee-921f09868f65",
    "USBPD": "dd1a238a-5f8e-46bd-9401-a88da99c5a96",
}


def add_ota(tree: Tree, _node: NodeModel) -> None:
    """One file for each release; every node of the lab has the same ones."""
    for release, (name, title, date, stamp, driver, kernel, *firmware) in RELEASES.items():
        packages = {"dgx-release": stamp, "nvidia-driver-580-open": f"{driver}-0ubuntu0.24.04.1", **UNCHANGED}
        recipe = {
            "metadata": {
                "name": name,
                "external_name": title,
                "description": "simulated",
                "releaseDate": f"{date}T00:00:00.000Z",
                "required_match": [],
            },
            "package": _entries(packages),
            "firmware": [
                {**entry, "guid": FIRMWARE_GUIDS[entry["name"]]}
                for entry in _entries(dict(zip(FIRMWARE_GUIDS, firmware, strict=True)))
            ],
            "connectx": _entries({"CX7": "28.45.4028"}),
            "software": _entries({"kernel": kernel, "driver": driver}),
        }
        tree.files[f"{METADATA}/spark-ota-{release}.json"] = json.dumps(recipe, indent=2)


def _entries(versions: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "version": version} for name, version in versions.items()]
