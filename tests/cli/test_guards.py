"""Files that have no end, and a Ctrl-C that comes before the command line stands."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.support.command import environment, sparkctl

ROOT = Path(__file__).parents[2]
GIB = 2**30


def in_little_memory(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run one command to its end with 1 GiB of address space."""
    return subprocess.run(
        [sys.executable, "-m", "sparkctl", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=home, timeout=30, stdin=subprocess.DEVNULL,
        env={**environment(home), "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB)),
    )  # fmt: skip


def test_a_device_holds_no_documents(tmp_path: Path) -> None:
    ran = in_little_memory("schema", "check", "/dev/zero", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "/dev/zero is a device" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_documents_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen(["sh", "-c", f"echo '{{}}' > {pipe}"])
    try:
        ran = sparkctl("schema", "check", pipe, home=tmp_path, timeout=30)
    finally:
        writer.kill()
        writer.wait()
    assert ran.returncode == 1, ran.stderr
    assert "schema" in ran.stdout + ran.stderr


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_what_no_lab_wrote_is_not_the_state_of_a_lab(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    state = folder / "lab.json"
    if kind == "pipe":
        os.mkfifo(state)
    elif kind == "device":
        state.symlink_to("/dev/zero")
    else:
        with state.open("wb") as file:
            file.truncate(2 * GIB)
    ran = in_little_memory("lab", "list", "--dir", folder, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{state} is not the state of a lab: it is " in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_pipe_in_place_of_who_serves_a_lab_serves_none(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    node = {"name": "sim-01", "address": "127.1.0.1", "make": "dgx", "fault": None}
    facts = {"seed": 1, "created": "2026-01-01T00:00:00Z", "seconds": None, "idle_seconds": 60.0, "revision": 1}
    (folder / "lab.json").write_text(json.dumps({"nodes": [node], **facts}))
    os.mkfifo(folder / "server.json")
    ran = sparkctl("lab", "list", "--dir", folder, home=tmp_path, timeout=30)
    assert "Traceback" not in ran.stderr
    assert ran.returncode in (0, 2)


def console_script() -> list[str]:
    """What the installed command `sparkctl` does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["sparkctl"].partition(":")
    return ["-c", f"from {module} import {name}; {name}()"]


@pytest.mark.parametrize("start", [["-m", "sparkctl"], console_script()], ids=["module", "script"])
def test_ctrl_c_during_the_imports_ends_in_silence(tmp_path: Path, start: list[str]) -> None:
    slow, begun = tmp_path / "slow", tmp_path / "begun"
    slow.mkdir()
    # A module that sparkctl imports and that takes its time, as on a disk far away.
    (slow / "click.py").write_text(f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, *start, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONPATH": f"{slow}:{ROOT}"},
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not begun.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)
    assert begun.exists()
    assert (process.returncode, said) == (-signal.SIGINT, ("", ""))


def test_an_interrupt_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    program = (
        "import signal, sparkctl.__main__ as entry\n"
        "try:\n entry.main()\nexcept SystemExit:\n pass\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    command = f"trap '' INT; exec {sys.executable} -c \"$0\" --version"
    ran = subprocess.run(
        ["sh", "-c", command, program], capture_output=True, text=True, check=False, timeout=30, cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.stdout.splitlines()[-1] == "True", ran.stderr
