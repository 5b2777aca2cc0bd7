"""A run that may open too few files says so before it begins."""

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import environment


def health(folder: Path, port: int, open_files: int, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "fleet.yaml").write_text(f"nodes: {{spark01: {{ssh: {{host: 127.0.0.1, port: {port}}}}}}}\n")
    places = ["--fleet", str(folder / "fleet.yaml"), "--state", str(folder / "state")]
    command = [sys.executable, "-m", "sparkctl", "health", *places, *options]
    return subprocess.run(
        ["sh", "-c", f"ulimit -n {open_files} && exec {shlex.join(command)}"],
        capture_output=True,
        text=True,
        check=False,
        env={**environment(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(("open_files", "workers", "needed"), [(16, 8, 32), (31, 8, 32), (12, 1, 25)])
def test_too_few_open_files_are_told_before_the_run(tmp_path: Path, open_files: int, workers: int, needed: int) -> None:
    ran = health(tmp_path, 9, open_files, "--workers", str(workers))
    assert ran.returncode == 2, ran.stderr
    assert f"allows a process {open_files} open files" in ran.stderr
    assert f"needs about {needed}," in ran.stderr
    assert "ulimit -n" in ran.stderr
    assert ("fewer --workers" in ran.stderr) == (workers > 1)
    assert len(ran.stderr.splitlines()) == 2
    assert not (tmp_path / "state").exists()


def test_what_is_said_to_be_needed_is_enough(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ran = health(tmp_path, closed.getsockname()[1], 32, "--workers", "8")
    assert (ran.returncode, '"connect.connection_refused"' in ran.stdout, ran.stderr) == (3, True, "")
