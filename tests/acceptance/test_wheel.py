"""The wheel works installed: node programs and schemas travel inside."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sparkctl.resources import checkout

pytestmark = pytest.mark.slow


def test_the_wheel_runs_the_demo_from_another_folder(tmp_path: Path) -> None:
    root = checkout()
    if root is None:
        pytest.skip("this is an installed sparkctl: there is no checkout to build from")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path / "dist"), str(root)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    offline = [*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(offline, check=True, capture_output=True)
    # Its dependencies are those of this run; the path file keeps the checkout itself out of sight.
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")

    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    where = "import sparkctl; from sparkctl.resources import shipped; print(sparkctl.__file__, shipped('schemas'))"
    shown = subprocess.run(
        [str(python), "-c", where], capture_output=True, text=True, check=True, env=environment, cwd="/"
    )
    assert all(str(tmp_path) in line for line in shown.stdout.split())
    sparkctl = str(tmp_path / "venv" / "bin" / "sparkctl")
    demo = subprocess.run(
        [sparkctl, "demo", "--nodes", "2"], capture_output=True, text=True, check=False, env=environment, cwd="/"
    )
    assert demo.returncode == 0, demo.stderr
    assert "2 nodes" in demo.stdout
    for arguments in (["sudoers"], ["schema", "show", "run-record"]):
        subprocess.run([sparkctl, *arguments], check=True, capture_output=True, env=environment, cwd="/")
