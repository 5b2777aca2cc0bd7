"""What acts make of a simulated node: its model as they left it, and what its stand-ins must know of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparkctl.lab import node_state
from sparkctl.lab.facts_firmware import capsules
from sparkctl.lab.facts_software import installed_packages
from sparkctl.lab.node_model import IMAGE_PACKAGE, KERNEL, NodeModel
from sparkctl.lab.node_state import BOOT_ID, DRIVE, FACTS, OFF, RUN, UNITS, UP_BEFORE, NodeState
from sparkctl.lab.repository import DEPENDS, available
from sparkctl.lab.wrappers import ACTS

LOCK_HOLDER = ("unattended-upgr", 48_002)
UNITS_OF_A_NODE = (
    "dgx-dashboard.service", "dgx-dashboard-admin.service", "docker.service", "containerd.service", "ssh.service",
    "nvidia-persistenced.service", "fwupd.service", "vllm.service", "site-metrics.service",
)  # fmt: skip
DRIVE_BYTES = 64 * 2**20
ENTRY = "gnulinux-"
SERVING = "vllm.service"
"""The unit that the processes of a busy GPU belong to."""


def folder_of(directory: Path, node: str) -> Path:
    """Where the state of a node of the lab in `directory` lies."""
    return directory / ACTS / node


def acted(node: NodeModel, state: NodeState, now: float) -> NodeModel:
    """The model of a node as acts left it; `now` is in seconds since 1970."""
    if state == NodeState():
        return node
    changed = replace(
        node, upgraded=tuple(sorted(state.packages.items())), stopped=tuple(state.stopped), masked=tuple(state.masked),
        next_entry=state.next_entry, flashed=tuple(sorted(state.flashed.items())),
        swapped=node.swapped or state.swapped,
    )  # fmt: skip
    if SERVING in state.stopped:
        changed = replace(changed, gpu=replace(node.gpu, processes=()))
    if not state.ended:
        return replace(changed, reboot_packages=(*node.reboot_packages, *_waiting(changed)))
    ended = tuple((float(lasted), float(off), str(kernel)) for lasted, off, kernel in state.ended)
    uptime = now - state.booted_at + UP_BEFORE
    again = replace(changed, ended=ended, uptime=uptime, kernel=state.kernel or node.kernel, kernel_lines=())
    return replace(again, reboot_packages=_waiting(again))


def _waiting(node: NodeModel) -> tuple[str, ...]:
    """The packages of a newer kernel, for which a restart is asked."""
    newest = f"{IMAGE_PACKAGE}{node.kernels[-1]}"
    return (newest,) if newest in dict(node.upgraded) and node.kernel != node.kernels[-1] else ()


def restarted(state: NodeState, node: NodeModel, now: float, kernel: str) -> None:
    """Change the state of a node as its restart does; `node` is as it was, `now` when it answers again (since 1970)."""
    state.ended.append([node.uptime, OFF, node.kernel])
    state.booted_at, state.kernel, state.next_entry = now, kernel, None
    state.masked, state.stopped = [], []
    state.flashed |= state.firmware
    state.firmware = {}


def kernel_after(node: NodeModel) -> str:
    """The kernel that the next boot takes: what grub was told for once, else the newest."""
    named = [release for release in node.kernels if node.next_entry and f"{ENTRY}{release}-" in node.next_entry]
    return named[-1] if named else max(node.kernels[-1], KERNEL)


def tell_stand_ins(folder: Path, node: NodeModel, fault: str | None, lock_seconds: float) -> None:
    """Write what the stand-ins of a node must know. Raises OSError."""
    for name in (RUN, UNITS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if not (folder / "bin").is_symlink():
        (folder / "bin").symlink_to(f"../../bin/{ACTS}")
    node_state.write(folder / BOOT_ID, f"{node.boot_id}\n")
    failed = {unit for unit, _ in node.failed_units}
    facts: dict[str, Any] = {
        "fault": fault,
        "installed": installed_packages(node),
        "available": available(node),
        "depends": DEPENDS,
        "units": {unit: "failed" if unit in failed else "active" for unit in UNITS_OF_A_NODE},
        "firmware": {
            capsule.guid: {
                "name": capsule.name,
                "version": capsule.version,
                "releases": [next_version(capsule.version)],
            }
            for capsule in capsules(node.make, node.firmware, node.flashed)
        },
        "drive": None if node.plain_vm else _drive(folder, node),
        "lock_holder": LOCK_HOLDER,
        "lock_seconds": lock_seconds,
    }
    node_state.write(folder / FACTS, json.dumps(facts))


def _drive(folder: Path, node: NodeModel) -> dict[str, str]:
    """What the drive says that it is; it is a small sparse file, which is made here."""
    place = folder / DRIVE
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        with place.open("wb") as file:
            file.truncate(DRIVE_BYTES)
    drive = node.make.drive
    return {"serial": node.drive_serial, "model": drive.model, "firmware": drive.firmware}


def next_version(version: str) -> str:
    """The version after this one, counted as the vendor counts (see `fwupd.decode`)."""
    return f"0x{int(version, 16) + 1:08x}" if version.startswith("0x") else str(int(version) + 1)
