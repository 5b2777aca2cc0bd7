"""A tree is a machine, and nothing leads out of it."""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool, reason_for
from diag.nodekit.vocabulary import UnknownReason
from tests.support.trees import build_tree


def test_links_stay_inside_the_tree(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    root = build_tree(
        tmp_path / "tree",
        files={"/etc/real": "inside"},
        links={
            "/absolute": "/etc/real",
            "/a/b/deep": "/etc/real",
            "/climbing": "../../../../secret",
            "/loop": "/loop",
            "/dir": "/etc",
        },
    )
    machine = Machine(str(root))
    assert machine.read("/absolute") == "inside"
    assert machine.read("/a/b/deep") == "inside"
    assert machine.read("/dir/real") == "inside"
    assert machine.read("/../../etc/real") == "inside"
    with pytest.raises(FileNotFoundError):
        machine.read("/climbing")
    with pytest.raises(OSError, match="symbolic links"):
        machine.read("/loop")


def test_what_is_no_regular_file_in_a_tree_is_not_opened(tmp_path: Path) -> None:
    root = build_tree(tmp_path / "tree", links={"/linked": "/pipe"})
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(root / "socket"))
        machine = Machine(str(root))
        for name in ("/pipe", "/linked", "/socket"):
            with pytest.raises(OSError, match="Not a regular file") as raised:
                machine.read(name)
            assert (reason_for(raised.value), raised.value.filename) == (UnknownReason.IO_ERROR, name)
    assert len(machine.failures) == 3


def test_a_pipe_of_a_simulated_machine_is_a_file_whose_read_never_returns(tmp_path: Path) -> None:
    root = build_tree(tmp_path / "tree", facts={"simulated": True})
    os.mkfifo(root / "pipe")
    holding = os.open(root / "pipe", os.O_RDWR)  # a writer: now only the reading waits, and gets what is written
    try:
        os.write(holding, b"from a pipe")
        assert Machine(str(root)).read_bytes("/pipe", 11) == b"from a pipe"
    finally:
        os.close(holding)


def test_recorded_commands(tmp_path: Path) -> None:
    commands: list[dict[str, Any]] = [
        {"run": "tool --flag", "stdout": "out", "stderr": "err", "rc": 3},
        {"run": "slow", "delay_s": 60},
        {"run": "sudo -n /usr/bin/secret", "stdout": "root only"},
    ]
    root = str(build_tree(tmp_path, commands=commands, facts={"euid": 1000}))
    machine = Machine(root)
    ran = machine.run(("tool", "--flag"))
    assert (ran.exit_status, ran.stdout, ran.stderr) == (3, "out", "err")
    with pytest.raises(MissingTool):
        machine.run(("tool",))
    with pytest.raises(TimeoutError):
        machine.run(("slow",), seconds=0.05)
    secret = ("/usr/bin/secret",)
    with pytest.raises(ValueError, match="not declared"):
        machine.run(secret, elevate=True)
    with pytest.raises(PermissionError):
        Machine(root, "none", frozenset({secret})).run(secret, elevate=True)
    assert Machine(root, "commands", frozenset({secret})).run(secret, elevate=True).stdout == "root only"


def test_denied_files_are_denied_to_users_and_not_to_root(tmp_path: Path) -> None:
    files = {"/sys/serial": "S1"}
    user = build_tree(tmp_path / "user", files=files, facts={"euid": 1000, "denied": ["/sys/serial"]})
    root = build_tree(tmp_path / "root", files=files, facts={"euid": 0, "denied": ["/sys/serial"]})
    with pytest.raises(PermissionError):
        Machine(str(user)).read("/sys/serial")
    assert Machine(str(root)).read("/sys/serial") == "S1"


def test_a_flood_is_cut_and_the_command_killed() -> None:
    flood = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    ran = Machine().run((sys.executable, "-c", flood), seconds=20, limit=100_000)
    assert (len(ran.stdout), ran.truncated) == (100_000, True)


def test_commands_get_a_small_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_NOT", "1")
    ran = Machine().run((sys.executable, "-c", "import os; print(sorted(os.environ))"))
    assert "LD_PRELOAD_NOT" not in ran.stdout
    assert "LC_ALL" in ran.stdout


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1000)
    machine = Machine(str(tmp_path))
    assert len(machine.read("/big", limit=100)) == 100
    assert machine.meter.bytes == 100


def test_origins(tmp_path: Path) -> None:
    assert Machine().origin == "live"
    assert Machine(str(build_tree(tmp_path / "a"))).origin == "tree"
    assert Machine(str(build_tree(tmp_path / "b", facts={"simulated": True}))).origin == "simulated"
    with pytest.raises(NotADirectoryError):
        Machine(os.devnull)


def test_only_a_regular_file_of_a_bounded_size_has_a_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"four")
    machine = Machine()
    assert machine.digest(str(tmp_path / "large"), 4).size == 4
    for name, words in (
        ("pipe", "Not a regular file"),
        ("/dev/zero", "Not a regular file"),
        ("large", "Larger than 3"),
    ):
        with pytest.raises(OSError, match=words):
            machine.digest(str(tmp_path / name), 3)
    assert len(machine.failures) == 3
