"""The benchmark still runs: a few nodes, its table of ratios. The figures themselves are nobody's test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import receiving
from tests.bench.contenders import BARE, SWEEP, YARDSTICK
from tests.bench.machine import ROOT

pytestmark = pytest.mark.slow

_NOT_TO_BE_HAD = f"without {YARDSTICK} there are no ratios"


@pytest.mark.thorough
def test_five_nodes_give_a_table_of_ratios(tmp_path: Path) -> None:
    options = ["--reps", "1", "--farm-sizes", "1,5", "--targets", "farm", "--clients", f"{BARE},{SWEEP}"]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.fanout", *options, "--peers-venv", str(tmp_path / "peers")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},  # a benchmark that runs beside the tests is none of ours
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    if _NOT_TO_BE_HAD in ran.stderr:
        pytest.skip(f"the package index does not give us {YARDSTICK}: {ran.stderr.splitlines()[-1]}")
    assert ran.returncode == 0, ran.stderr
    rows = {row[0]: row for line in ran.stdout.splitlines() if len(row := cells(line)) == 7}
    assert rows["client"][2] == f"ratio to {YARDSTICK}"
    assert {rows[name][-1] for name in (BARE, SWEEP)} == {"0"}, ran.stderr
    assert rows[SWEEP][3] == "1 → 5"


def test_deliveries_of_two_sizes_give_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    assert receiving.main(["--rows", "100", "--rows", "300"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [int(row[0]) for row in rows] == sorted(int(row[0]) for row in rows)
    assert all(float(row[-1]) > 0 for row in rows)
    assert len(rows) == 2


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("| ").split("|")]
