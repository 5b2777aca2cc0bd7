"""The streamed program is deterministic, bounded, leaves nothing behind, and survives every login shell."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.contract.decode import Expected, decode_health
from sparkctl.contract.frame import unframe
from sparkctl.errors import SparkctlError
from sparkctl.model.vocabulary import Elevation, Origin
from sparkctl.probes import stage_one
from sparkctl.probes.program import MAX_PROGRAM_BYTES, bundle
from sparkctl.resources import shipped

NONCE = "ab" * 16
SHELLS = [shell for shell in ("sh", "dash", "bash", "fish", "zsh", "tcsh") if shutil.which(shell)]


@pytest.fixture(scope="module")
def python3(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `python3` is the Python that runs the tests."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return f"{folder}:{os.environ['PATH']}"


def test_the_same_sources_give_the_same_text(tmp_path: Path) -> None:
    copy = tmp_path / "diag"
    shutil.copytree(shipped("diag"), copy, ignore=shutil.ignore_patterns("__pycache__"))
    first, second = bundle(shipped("diag")), bundle(copy)
    assert first.text == second.text
    assert first.sha256 == hashlib.sha256(first.text).hexdigest()
    assert len(first.packed) <= MAX_PROGRAM_BYTES
    assert zlib.decompress(first.packed) == first.text
    assert first.text.isascii()


def test_the_bastion_knows_which_checks_are_required_without_importing_them() -> None:
    program = shipped("diag") / "spark_diagctl.py"
    listed = subprocess.run([sys.executable, str(program), "checks"], capture_output=True, check=True)
    catalogue = {entry["check"]: entry["required"] for entry in json.loads(listed.stdout)["checks"]}
    assert bundle(shipped("diag")).checks == catalogue


def test_a_program_over_its_limit_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "diag"
    shutil.copytree(shipped("diag"), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "checks" / "heavy_load.py").write_text(f"CHECK = Check()\nT = {os.urandom(MAX_PROGRAM_BYTES).hex()!r}\n")
    with pytest.raises(SparkctlError, match="more than the 262144 allowed"):
        bundle(copy)


def test_a_program_holds_what_it_needs_and_no_more(tmp_path: Path) -> None:
    health, collect = bundle(shipped("diag"), "health"), bundle(shipped("diag"), "collect")
    assert b"diag.checks.disk_space" in health.text
    assert b"diag.checks.disk_space" not in collect.text
    assert b"diag.facets.identity" in collect.text
    assert b"diag.facets.identity" not in health.text
    assert (health.facets, collect.checks) == ((), {})
    copy = tmp_path / "diag"
    shutil.copytree(shipped("diag"), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "nodekit" / "dmi.py").unlink()
    with pytest.raises(SparkctlError, match=r"needs the module diag\.nodekit\.dmi"):
        bundle(copy)


def test_stage_one_holds_nothing_that_a_shell_would_change() -> None:
    assert not set(stage_one.STAGE_ONE) & set("'\\!\n`")
    assert len(stage_one.STAGE_ONE) < 1000


@pytest.mark.parametrize("shell", SHELLS)
def test_through_every_shell(shell: str, python3: str, tmp_path: Path) -> None:
    program = bundle(shipped("diag"))
    command = shlex.join(stage_one.argv(program, NONCE, ("health", "--seconds=20")))
    ran = subprocess.run(
        [shell, "-c", command], input=program.packed, capture_output=True, check=True, cwd=tmp_path,
        env={"PATH": python3, "HOME": str(tmp_path)},
    )  # fmt: skip
    framed = unframe(ran.stdout, NONCE)
    decode_health(framed.document, Expected(262144, program.sha256, Elevation.NONE, Origin.LIVE, program.checks))
    assert framed.noise_bytes == 0
    assert ran.stderr == b""
    assert not any(path.name not in (".config", ".local", ".cache") for path in tmp_path.iterdir())


def run_stage_one(sent: bytes, announced: bytes, python3: str) -> subprocess.CompletedProcess[bytes]:
    argv = list(stage_one.argv(bundle(shipped("diag")), NONCE, ("health",)))
    argv[5:7] = [str(len(announced)), hashlib.sha256(announced).hexdigest()]
    return subprocess.run(argv, input=sent, capture_output=True, check=False, env={"PATH": python3})


def test_it_reads_exactly_as_many_bytes_as_announced(python3: str) -> None:
    packed = zlib.compress(b"import sys; sys.stdout.write(sys.stdin.read())")
    ran = run_stage_one(packed + b"the rest of the input", packed, python3)
    assert (ran.returncode, ran.stdout) == (0, b"the rest of the input")


@pytest.mark.parametrize("damage", [lambda sent: sent[:-1], lambda sent: b"?" + sent[1:], lambda _: b""])
def test_a_damaged_program_is_not_run(damage: Callable[[bytes], bytes], python3: str) -> None:
    packed = zlib.compress(b"print(1)")
    sent = damage(packed)
    ran = run_stage_one(sent, packed, python3)
    assert ran.returncode == stage_one.EXIT_DAMAGED
    assert stage_one.complaint(ran.stdout, NONCE) == ("program-damaged", hashlib.sha256(sent).hexdigest())


def test_an_old_python_says_so() -> None:
    pretend = "import sys; sys.version_info, sys.version = (3, 8, 10), '3.8.10 (default)'; del sys.argv[0]; "
    ran = subprocess.run(
        [sys.executable, "-c", pretend + "exec(sys.argv[0])", stage_one.STAGE_ONE, "8", "0" * 64, "1" * 64, NONCE],
        capture_output=True, check=False, input=b"print(1)",
    )  # fmt: skip
    assert ran.returncode == stage_one.EXIT_TOO_OLD
    assert stage_one.complaint(ran.stdout, NONCE) == ("python-too-old", "3.8.10")


def test_complaints_of_another_run_do_not_count() -> None:
    line = f"{stage_one.MAGIC} {'cd' * 16} python-too-old 3.8.10\n".encode()
    assert stage_one.complaint(line, NONCE) is None


@pytest.mark.parametrize("argv", [["health", "--root", "{tree}"], ["--root", "{tree}", "health"]])
def test_by_hand_with_flags_before_or_after(argv: list[str], tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    program = shipped("diag") / "spark_diagctl.py"
    ran = subprocess.run(
        [sys.executable, str(program), *(part.format(tree=tmp_path) for part in argv)],
        capture_output=True, check=True, cwd="/",
    )  # fmt: skip
    document = json.loads(ran.stdout)
    assert document["ok"] is True
    assert document["meta"]["origin"] == "tree"


def test_by_hand_nonsense_is_a_usage_error() -> None:
    program = str(shipped("diag") / "spark_diagctl.py")
    for argv in (["--root", "/nowhere", "health"], ["health", "--seconds", "-1"], ["heal"], []):
        ran = subprocess.run([sys.executable, program, *argv], capture_output=True, check=False)
        assert (ran.returncode, ran.stdout) == (2, b""), argv
        assert b"Traceback" not in ran.stderr
