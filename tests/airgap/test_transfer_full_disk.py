"""Disks that are full on either side: one sentence, nothing half applied, and on it goes when there is room."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airgap.gaps import contents, gap_in, must, refused

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    (place := tmp_path / "disk").mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=False, capture_output=True)
    if os.geteuid() != 0 or made.returncode != 0:
        pytest.skip("a small disk needs root and the right to mount")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk: Path, left: int) -> Path:
    """Take all of a disk but some bytes."""
    free = os.statvfs(disk)
    (filling := disk / "filling").write_bytes(bytes(free.f_bavail * free.f_bsize - left))
    return filling


def test_each_side_says_so_and_goes_on(tmp_path: Path, small: Path) -> None:
    gap = gap_in(tmp_path / "gap")
    rng = random.Random(1)
    gap.write({f"f{n}": rng.randbytes(500_000) for n in range(6)})
    ways = (gap.source, "--stream", "tools", "--part-size", "1M", "--key", gap.key("alice"), "--out", small / "out")
    filling = fill(small, 2_000_000)  # more than half of it, so that it begins
    refused(gap.near("pack", *ways), 2, f"{small / 'out'} is full")
    assert [path.name for path in (small / "out").iterdir()] == ["tools-00000001.partial"]
    filling.unlink()
    assert "parts were there from a pack that did not end" in must(gap.near("pack", *ways)).stdout
    (gap.top / "out").mkdir()
    subprocess.run(["mv", small / "out/tools-00000001", gap.top / "out"], check=True)

    filling = fill(small, 1_500_000)
    site = gap.top / "airgap.yaml"
    taking = ("verify", gap.packed(1), "--site", site, "--into", small / "quarantine")
    refused(gap.far(*taking), 2, "is full")
    filling.unlink()
    must(gap.far(*taking))

    applying = ("apply", small / "quarantine/tools-00000001", "--site", site, "--to", small / "tree")
    filling = fill(small, 1_500_000)
    refused(gap.far(*applying), 2, "is full")
    assert not (small / "tree/current").exists()
    filling.unlink()
    must(gap.far(*applying))
    assert contents(small / "tree/current") == contents(gap.source)


def test_a_disk_of_the_receipt_or_of_the_state_that_takes_nothing_leaves_what_was_current(
    tmp_path: Path, small: Path
) -> None:
    gap = gap_in(tmp_path / "gap")
    gap.write({"version": b"1"})
    must(gap.pack())
    gap.cross(1)
    first = contents(gap.source)
    gap.write({"version": b"2"})
    must(gap.pack())
    must(gap.bring(2))
    signed = ("--receipt", small / "receipt.json", "--key", gap.key("bob"))
    filling = fill(small, 0)
    refused(gap.apply(2, *signed), 2, f"{small} is full")
    assert contents(gap.tree / "current") == first
    filling.unlink()
    shutil.move(state := gap.top / "far/airgap/applied", small / "applied")
    state.symlink_to(small / "applied")
    filling = fill(small, 0)
    refused(gap.apply(2), 2, f"{state} is full")
    assert contents(gap.tree / "current") == first
    assert [path.name for path in small.iterdir()] == ["filling", "applied"]
    assert [path.name for path in gap.tree.iterdir() if path.name.startswith(".")] == []
    filling.unlink()
    must(gap.apply(2, *signed))
    assert contents(gap.tree / "current") == contents(gap.source)
    must(gap.near("receipt", small / "receipt.json", "--allowed-signers", gap.top / "signers"))
