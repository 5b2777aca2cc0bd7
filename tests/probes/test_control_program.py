"""The program that changes nodes, and no other, carries what changes them."""

import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.probes.needed import needed
from sparkctl.probes.program import COMMANDS, ENTRIES, bundle
from sparkctl.resources import shipped

HANDS = {"diag.nodekit.launcher", "diag.nodekit.act", "diag.nodekit.acting", "diag.nodekit.control_task"}


def carried(command: str) -> set[str]:
    """The modules that the program of a command carries."""
    roots = [f"diag.{ENTRIES[command]}", *(f"diag.commands.{name}" for name in COMMANDS.get(command, ()))]
    return set(needed(shipped("diag"), roots))


@pytest.mark.parametrize("command", [command for command in ENTRIES if command != "control"])
def test_a_program_that_looks_has_no_hands(command: str) -> None:
    assert not {name for name in carried(command) if name in HANDS or name.startswith("diag.controllers.")}


def test_the_program_that_acts_carries_every_controller_and_its_launcher() -> None:
    files = {f"diag.controllers.{path.stem}" for path in (shipped("diag") / "controllers").glob("[a-z]*.py")}
    assert carried("control") >= files | HANDS


def test_the_launcher_that_travels_is_the_one_that_is_tested_but_for_its_comments(tmp_path: Path) -> None:
    """A node runs the text as the program carries it: it must be whole, and say nothing that systemd would expand."""
    program = bundle(shipped("diag"), "control").text.decode().rpartition("from diag.spark_controlctl import main")[0]
    asks = f"{program}\nfrom diag.nodekit.act import launcher_text\nsys.stdout.write(launcher_text())\n"
    (tmp_path / "asks.py").write_text(asks)
    words = [sys.executable, "-I", "-S", str(tmp_path / "asks.py")]
    text = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    compile(text, "launcher", "exec")
    assert "$" not in text
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text.replace("/run/sparkctl", str(tmp_path / "run")), "a" * 32, "1",
         Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "--", "/bin/echo", "travelled"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "run" / f"{'a' * 32}.out").read_text() == "travelled\n"
