"""sparkctl across the gap: gathered from the index, carried into a place without a network, installed and run there."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl import __version__
from sparkctl.resources import checkout
from tests.airgap.gaps import Gap, contents, gap_in, must, refused
from tests.airgap.test_transfer_pages import blocks

pytestmark = pytest.mark.slow
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def gather(folder: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """What `make airgap` runs."""
    root = checkout()
    assert root is not None
    command: list[str | Path] = [sys.executable, root / ".ci/airgap", folder, "--python", RUNNING, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels") / "house"
    ran = gather(folder, "--machine", os.uname().machine)
    if ran.returncode != 0:
        pytest.skip(f"no package index gives the wheels: {ran.stderr[-300:]}")
    return folder


def require_unshared() -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a network namespace needs root and the right to make one")


def without_network(place: Path, lines: str) -> "subprocess.CompletedProcess[str]":
    """Run lines of a shell where there is nothing but loopback, with nothing of this project on the path."""
    command = ["unshare", "-n", "bash", "-euo", "pipefail", "-c", f"ip link set lo up\n{lines}"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(place), "LANG": "C.UTF-8"}
    return subprocess.run(
        command, cwd=place, capture_output=True, text=True, timeout=300, check=False, env=environment
    )  # fmt: skip


def test_a_bare_bastion_without_a_network_gets_sparkctl(tmp_path: Path, wheelhouse: Path) -> None:
    require_unshared()
    gap = gap_in(tmp_path / "gap")
    ways = ("--self", "--wheelhouse", wheelhouse, "--out", gap.top / "out")
    must(gap.near("pack", *ways, "--key", gap.key("alice"), "--key", gap.key("bob")))
    bastion = tmp_path / "bastion"
    (bastion / "usb").mkdir(parents=True)
    shutil.move(gap.packed(1, "sparkctl"), bastion / "usb")
    shutil.copy(gap.top / "signers", bastion)

    plain = blocks("sh")[-1].replace("mirror-00000001", "sparkctl-00000001")
    ran = without_network(bastion, plain)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count('Good "spark-transfer" signature for') == 2
    there = contents(bastion / "usb/files")
    assert {"docs/airgap.md", "schemas/transfer-manifest.schema.json", "diag/spark_diagctl.py"} <= there.keys()

    python = Path(sys.base_prefix) / "bin" / f"python{RUNNING}"
    steps = f"""
        ! getent ahosts pypi.org
        {python} -m venv venv
        venv/bin/pip install --quiet --no-compile --no-index --find-links usb/files/wheels sparkctl
        venv/bin/sparkctl --version
        venv/bin/sparkctl demo --help
        venv/bin/sparkctl schema list
        venv/bin/sparkctl airgap check --help
    """
    ran = without_network(bastion, steps)
    assert ran.returncode == 0, ran.stderr
    assert __version__ in ran.stdout
    assert "sparkctl demo" in ran.stdout
    assert "transfer-manifest" in ran.stdout


def test_every_wheel_has_its_hash_in_the_lock_file(wheelhouse: Path) -> None:
    root = checkout()
    assert root is not None
    locked = set(re.findall(r"sha256:([0-9a-f]{64})", (root / ".ci/requirements.txt").read_text()))
    wheels = [path for path in wheelhouse.iterdir() if not path.name.startswith("sparkctl-")]
    assert len(wheels) > 20
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in wheels} <= locked


@pytest.mark.thorough
def test_the_machines_of_the_nodes_get_theirs_too(tmp_path: Path, wheelhouse: Path) -> None:
    ran = gather(tmp_path / "arm", "--machine", "aarch64")
    if ran.returncode != 0:
        assert "NOT COMPLETE: the index has not every wheel for aarch64" in ran.stderr
        pytest.skip("THE PACKAGE INDEX HAS NOT EVERY WHEEL FOR AARCH64")
    names = {path.name.split("-")[0] for path in wheelhouse.iterdir()}
    assert {path.name.split("-")[0] for path in (tmp_path / "arm").iterdir()} == names
    assert any("aarch64" in path.name for path in (tmp_path / "arm").iterdir())


def test_a_machine_that_the_index_lacks_is_told_loudly(tmp_path: Path, wheelhouse: Path) -> None:
    root = checkout()
    assert root is not None
    command: list[str | Path] = [
        sys.executable,
        root / ".ci/airgap",
        tmp_path / "old",
        "--python",
        "3.2",
        "--machine",
        "aarch64",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 1
    assert "*** NOT COMPLETE: the index has not every wheel for aarch64 with Python 3.2" in ran.stderr


def test_a_wheelhouse_that_lacks_something_is_not_packed(tmp_path: Path, wheelhouse: Path) -> None:
    gap: Gap = gap_in(tmp_path / "gap")
    less = Path(shutil.copytree(wheelhouse, tmp_path / "less"))
    for path in less.glob("click-*"):
        path.unlink()
    refused(gap.near("pack", "--self", "--wheelhouse", less, "--out", gap.top / "out"), 2, "lacks wheels of click")
    for path in less.glob("sparkctl-*"):
        path.unlink()
    ran = gap.near("pack", "--self", "--wheelhouse", less, "--out", gap.top / "out")
    refused(ran, 2, f"there is no wheel of sparkctl {__version__} in")
    assert not (gap.top / "out").exists()
