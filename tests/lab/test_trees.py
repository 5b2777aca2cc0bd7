"""The trees of simulated nodes, judged by the very program that is streamed to nodes."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab.characters import FAULT_TABLE, model_of
from sparkctl.lab.devices import ports
from sparkctl.lab.makes import MAKES
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.resources import shipped

PROGRAM = shipped("diag") / "spark_diagctl.py"
SIGNS = {
    "full-disk": ["disk.space"],
    "read-only-root": ["disk.readonly", "disk.fs_errors"],
    "hot": ["gpu.temperature", "gpu.thermal_slowdown", "thermal.zones", "thermal.trips"],
    "memory-wedge": ["memory.available", "memory.pressure", "memory.swap", "gpu.allocation_failures"],
    "driver-missing": ["driver.loaded", "driver.running_kernel", "gpu.query"],
    "gpu-power-wedge": ["gpu.power_wedge"],
    "gpu-reset-required": ["gpu.query", "gpu.reset_required", "gpu.xid"],
    "hung-nvidia-smi": ["gpu.query", "gpu.xid"],
    "failed-units": ["systemd.failed_units"],
    "clock-unsynchronised": ["time.offset", "time.synchronised"],
    "clock-years-off": ["time.plausible", "time.synchronised"],
    "worn-drive": ["nvme.spare", "nvme.wear", "nvme.media_errors", "nvme.critical_warning"],
    "plain-vm": ["identity.platform"],
    "oom-kills": ["memory.oom_kills"],
    "reboot-pending": ["boot.kernel", "boot.reboot_required"],
    "kernel-crash": ["boot.pstore"],
    "cores-lost": ["cpu.online"],
    "gpu-missing": ["gpu.present"],
    "drive-dead": ["nvme.present"],
    "link-down": ["network.link"],
    "pcie-errors": ["pcie.aer"],
}
MACHINES = [
    pytest.param(name, marks=[pytest.mark.slow, pytest.mark.thorough] if name == "hung-nvidia-smi" else [])
    for name, fault in FAULT_TABLE.items()
    if fault.change is not None and name not in ("stuck-sysfs", "swapped")
]


def plant(folder: Path, make: str = "founders", fault: str | None = None) -> Path:
    """The folder of a node's tree."""
    root = folder / "sim-01"
    write_tree(render(model_of("sim-01", 7, make, fault)), root, Pool(folder / "shared"), time.time())
    return root.resolve()


def judge(root: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", str(PROGRAM), "health", "--elevation", "commands", "--root", str(root)]
    ran = subprocess.run(command, capture_output=True, check=False)
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def findings(document: dict[str, Any], *statuses: str) -> list[str]:
    return [finding["check"] for finding in document["data"]["findings"] if finding["status"] in statuses]


@pytest.mark.parametrize("make", MAKES)
def test_a_healthy_machine_of_every_make_passes_every_check_that_can_be_judged(tmp_path: Path, make: str) -> None:
    document = judge(plant(tmp_path, make))
    assert findings(document, "warn", "fail", "unknown") == []
    assert document["errors"] == []
    assert len(findings(document, "pass")) > 30
    assert document["meta"]["origin"] == "simulated"
    assert document["meta"]["node"]["serial"] == "SIM0000000001"
    assert document["meta"]["node"]["product"] == MAKES[make].dmi["product_name"]


@pytest.mark.parametrize("fault", MACHINES)
def test_a_fault_shows_in_the_checks_that_look_for_it_and_in_no_other_way(tmp_path: Path, fault: str) -> None:
    document = judge(plant(tmp_path, fault=fault))
    bad = findings(document, "warn", "fail")
    assert document["data"]["rollup"]["worst"] == FAULT_TABLE[fault].expected
    assert set(SIGNS.get(fault, [])) <= set(bad)
    assert bool(bad) == (fault in SIGNS)


@pytest.mark.slow
def test_a_stuck_file_costs_the_checks_that_read_it_and_no_other(tmp_path: Path) -> None:
    document = judge(plant(tmp_path, fault="stuck-sysfs"))
    late = [finding for finding in document["data"]["findings"] if finding.get("reason") == "timeout"]
    assert {finding["check"] for finding in late} == {"thermal.zones", "thermal.trips"}


def test_without_its_cable_the_connectx_is_not_applicable(tmp_path: Path) -> None:
    document = judge(plant(tmp_path, fault="connectx-absent"))
    assert "network.connectx" in findings(document, "not_applicable")


def test_a_virtual_machine_is_named_as_no_spark_and_is_not_blamed_for_lacking_its_parts(tmp_path: Path) -> None:
    document = judge(plant(tmp_path, "asus", "plain-vm"))
    (finding,) = [one for one in document["data"]["findings"] if one["status"] in ("warn", "fail")]
    assert finding["summary"].startswith("Not a GB10: none of 2 PCI devices is 10de:2e12")
    assert document["meta"]["node"]["product"] == "QEMU Virtual Machine"
    skipped = set(findings(document, "not_applicable"))
    assert {"gpu.present", "nvme.present", "thermal.zones", "firmware.tpm", "pcie.aer"} <= skipped
    assert findings(document, "unknown") == ["network.speed"]  # virtio has none, as on a real virtual machine


def test_a_swapped_machine_is_healthy_and_has_another_serial(tmp_path: Path) -> None:
    document = judge(plant(tmp_path, fault="swapped"))
    assert document["data"]["rollup"]["worst"] == "pass"
    assert document["meta"]["node"]["serial"] == "SIM9000000001"


def test_refused_sudo_leaves_unknown_what_needs_root(tmp_path: Path) -> None:
    document = judge(plant(tmp_path, fault="sudo-refused"))
    reasons = {finding["check"]: finding.get("reason") for finding in document["data"]["findings"]}
    assert reasons["nvme.wear"] == "not_permitted"


def test_files_and_commands_tell_the_same_story(tmp_path: Path) -> None:
    root = plant(tmp_path)
    commands = {tuple(entry["argv"]): entry for entry in json.loads((root / "cmd/commands.json").read_text())}
    version = (root / "sys/module/nvidia/version").read_text().strip()
    assert f"  {version}  " in (root / "proc/driver/nvidia/version").read_text()
    query = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    assert commands[query]["stdout"] == f"NVIDIA GB10, {version}, [N/A]\n"
    lspci = [line.split()[0] for line in commands["lspci",]["stdout"].splitlines()]
    assert lspci == sorted(entry.name for entry in (root / "sys/bus/pci/devices").iterdir())
    for link in json.loads(commands["ip", "-j", "link"]["stdout"]):
        assert (root / "sys/class/net" / link["ifname"] / "address").read_text().strip() == link["address"]
        assert link["address"].startswith("02:")
    smart = json.loads(commands["sudo", "-n", "/usr/sbin/nvme", "smart-log", "-o", "json", "/dev/nvme0"]["stdout"])
    celsius = int((root / "sys/class/hwmon/hwmon1/temp1_input").read_text()) // 1000
    assert smart["temperature"] - 273 == celsius
    assert (root / "sys/class/dmi/id/product_serial").read_text().strip() in (root / "etc/dgx-release").read_text()


@pytest.mark.parametrize(("fault", "least"), [(None, 50), ("plain-vm", 10)])
def test_every_link_of_a_tree_leads_somewhere_inside_it(tmp_path: Path, fault: str | None, least: int) -> None:
    root = plant(tmp_path, fault=fault)
    links = [path for path in root.rglob("*") if path.is_symlink()]
    broken = [path for path in links if not _lands(root, path)]
    assert len(links) > least
    assert broken == []


def _lands(root: Path, link: Path) -> bool:
    goal = str(link.readlink())
    place = root / goal.lstrip("/") if goal.startswith("/") else link.parent.resolve() / goal
    return place.exists() and root in place.resolve().parents


def test_root_of_the_node_reads_what_its_user_may_not(tmp_path: Path) -> None:
    root = plant(tmp_path)
    assert "/sys/class/dmi/id/product_serial" in json.loads((root / ".tree.json").read_text())["denied"]
    document = judge(root_view(root))
    assert document["meta"]["node"]["serial_source"] == "smbios.product_serial"
    assert judge(root)["meta"]["node"]["serial_source"] == "dgx-release"


def test_two_nodes_share_no_identifier() -> None:
    one, other = (NodeModel(name=name, seed="7") for name in ("sim-01", "sim-02"))
    for name in ("serial", "uuid", "boot_id", "machine_id", "gpu_uuid", "filesystem_uuid"):
        assert getattr(one, name) != getattr(other, name)
    assert {port.mac for port in ports(one)} & {port.mac for port in ports(other)} == set()
    assert one.uuid == NodeModel(name="sim-01", seed="7").uuid
    assert one.uuid != NodeModel(name="sim-01", seed="8").uuid


def test_a_new_tree_replaces_the_old_one_while_its_readers_go_on(tmp_path: Path) -> None:
    before = plant(tmp_path)
    after = plant(tmp_path, fault="full-disk")
    assert before != after
    assert (before / "proc/uptime").exists()
    assert (tmp_path / "sim-01").resolve() == after


def test_many_trees_can_be_written_at_once(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool")
    with ThreadPoolExecutor(6) as threads:
        written = [
            threads.submit(write_tree, render(NodeModel(f"spark{n:02}", "1")), tmp_path / f"spark{n:02}", pool, 1e9)
            for n in range(6)
        ]
        for one in written:
            one.result()
    assert not list((tmp_path / "pool").glob("*.[0-9]*"))
