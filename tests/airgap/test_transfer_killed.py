"""Packs and imports that are killed at any moment go on, and what is current is never half of something."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.airgap.gaps import Gap, contents, gap_in, must, refused
from tests.support.command import environment
from tests.support.corpus import THOROUGH

pytestmark = pytest.mark.slow
KILLS = 6 if THOROUGH else 3
ROOT = Path(__file__).parents[2]


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    made = gap_in(tmp_path / "gap")
    rng = random.Random(7)
    made.write({f"d{n % 5}/f{n}": rng.randbytes(rng.randrange(1, 400_000)) for n in range(120)})
    return made


def killed(gap: Gap, state: str, *arguments: str | Path, ready: Callable[[], bool], within: float = 0.05) -> int:
    """Start a command, and kill it a random moment, within so many seconds, after it began to write; its exit code."""
    env = {**environment(gap.top, {"SPARKCTL_STATE": str(gap.top / state)}), "PYTHONPATH": str(ROOT)}
    # Whoever kills it goes first, also on a busy machine.
    command = ["nice", "-n", "19", sys.executable, "-m", "sparkctl", "airgap", *map(str, arguments)]
    process = subprocess.Popen(
        command, env=env, cwd=gap.top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip
    while process.poll() is None and not ready():
        time.sleep(0.002)
    time.sleep(random.uniform(0, within))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def more_in(folder: Path, pattern: str) -> Callable[[], bool]:
    """What is true as soon as there are more such files in a folder than now."""
    before = len(list(folder.glob(pattern)))
    return lambda: len(list(folder.glob(pattern))) > before


def test_a_pack_goes_on(gap: Gap) -> None:
    out, arguments = gap.top / "out", (gap.source, "--stream", "tools", "--part-size", "2M", "--key", gap.key("alice"))
    done = gap.packed(1)
    codes: list[int] = []
    while not done.exists() and len(codes) < KILLS:
        codes.append(killed(gap, "near", "pack", *arguments, "--out", out, ready=more_in(out, "*/blobs.*")))
    assert codes[0] == -signal.SIGKILL
    if not done.exists():
        told = must(gap.near("pack", *arguments, "--out", out)).stdout
        assert "parts were there from a pack that did not end" in told
    assert [path.name for path in out.iterdir()] == ["tools-00000001"]
    gap.cross(1)
    assert contents(gap.tree / "current") == contents(gap.source)


def test_an_unfinished_pack_of_other_files_begins_again(gap: Gap) -> None:
    out, arguments = gap.top / "out", (gap.source, "--stream", "tools", "--part-size", "2M", "--key", gap.key("alice"))
    code = killed(
        gap, "near", "pack", *arguments, "--out", out, ready=lambda: any(out.glob("*/blobs.*.0002")), within=0
    )
    assert code == -signal.SIGKILL
    gap.write({"d0/f0": b"another"})
    must(gap.near("pack", *arguments, "--out", out))
    gap.cross(1)
    assert contents(gap.tree / "current") == contents(gap.source)
    assert [path.name for path in out.iterdir()] == ["tools-00000001"]


def test_an_import_goes_on_and_current_is_whole_at_any_moment(gap: Gap) -> None:
    gap.write({"version": b"1"})
    must(gap.pack())
    gap.cross(1)
    first = contents(gap.source)
    rng = random.Random(8)
    gap.write({"version": b"2", **{f"n/{n}": rng.randbytes(200_000) for n in range(100)}})
    must(gap.pack())
    second = contents(gap.source)
    site, quarantined = gap.top / "airgap.yaml", gap.quarantine / "tools-00000002"
    codes = [
        killed(gap, "far", "verify", gap.packed(2), "--site", site, "--into", gap.quarantine,
               ready=lambda: any(quarantined.glob("blobs/*")))
        for _ in range(KILLS // 2 + 1)
    ]  # fmt: skip
    assert -signal.SIGKILL in codes
    must(gap.bring(2))
    apply = (
        "apply", quarantined, "--site", site, "--to", gap.tree,
        "--receipt", gap.top / "r.json", "--key", gap.key("bob"),
    )  # fmt: skip
    codes = []
    for _ in range(KILLS):
        codes.append(killed(gap, "far", *apply, ready=more_in(gap.tree, "blobs/??/*")))
        assert contents(gap.tree / "current") in (first, second)
        if codes[-1] != -signal.SIGKILL:
            break
    assert -signal.SIGKILL in codes
    ran = gap.far(*apply)  # the last one may have been killed when all was done but its end
    assert ran.returncode == 0 or "sequence 2 of tools was applied on" in ran.stderr
    assert contents(gap.tree / "current") == second
    must(gap.near("receipt", gap.top / "r.json", "--allowed-signers", gap.top / "signers"))
    refused(gap.far(*apply), 4, "tools-00000002 is not newer")
    assert not list(gap.tree.glob("blobs/??/.*"))


def test_two_state_folders_do_not_change_one_tree_at_once(gap: Gap) -> None:
    must(gap.pack())
    must(gap.bring(1))
    (gap.tree / "blobs").mkdir(parents=True)
    holder = subprocess.Popen(["flock", "--no-fork", gap.tree / "lock", "sleep", "30"])
    try:
        while subprocess.run(["flock", "-n", gap.tree / "lock", "true"], check=False).returncode == 0:
            time.sleep(0.02)
        refused(gap.apply(1), 75, "another command applies a bundle")
        assert not (gap.tree / "current").exists()
    finally:
        holder.kill()
        holder.wait()
    must(gap.apply(1))


def test_two_at_once_wait_for_each_other(gap: Gap) -> None:
    lock = gap.top / "near/airgap/lock"
    lock.parent.mkdir(parents=True)
    holder = subprocess.Popen(["flock", "--no-fork", lock, "sleep", "30"])
    try:
        while subprocess.run(["flock", "-n", lock, "true"], check=False).returncode == 0:
            time.sleep(0.02)
        refused(gap.pack(), 75, "another command of `sparkctl airgap`")
    finally:
        holder.kill()
        holder.wait()
