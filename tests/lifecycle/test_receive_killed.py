"""A `receive record` that is killed leaves all of a delivery in the ledger, or nothing, and can be run again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.app.places import Places
from sparkctl.app.receive_record import write_document
from sparkctl.errors import RefusedError
from sparkctl.model.ledger import GENESIS
from sparkctl.store.store import Store

CHILD = Path(__file__).with_name("killed_child.py")
MACHINES = 30


def record(folder: Path, point: str) -> int:
    papers = ["--order", "po.csv", "--notice", "asn.csv", "--scans", "scans.csv", "--state", "state"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder)}
    ran = subprocess.run(
        [sys.executable, CHILD, point, "receive", "record", *papers],
        cwd=folder, env=environment, check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    return ran.returncode


@pytest.mark.slow
@pytest.mark.parametrize(("point", "left"), [("before", 0), ("within", 0), ("after", 5 * MACHINES)])
def test_all_or_nothing(tmp_path: Path, point: str, left: int) -> None:
    serials = [f"SIM{number:03}" for number in range(MACHINES)]
    nodes = "".join(f"  spark{serial}: {{serial: {serial}}}\n" for serial in serials)
    (tmp_path / "fleet.yaml").write_text(f"nodes:\n{nodes}")
    (tmp_path / "po.csv").write_text(f"po,line,part,qty\n17,10,P,{MACHINES}\n")
    (tmp_path / "asn.csv").write_text("po,line,serial\n" + "".join(f"17,10,{serial}\n" for serial in serials))
    (tmp_path / "scans.csv").write_text("code\n" + "".join(f"SN={serial}\n" for serial in serials))
    assert record(tmp_path, point) == -signal.SIGKILL
    assert len(entries(tmp_path)) == left
    assert record(tmp_path, "never") == 3  # nobody was observed yet
    assert len(entries(tmp_path)) == 5 * MACHINES


def test_a_document_that_a_killed_command_left_is_taken_and_no_other(tmp_path: Path) -> None:
    here, path = Places(None, tmp_path / "state", {}), tmp_path / "record.json"
    for _ in range(2):
        write_document(here, path, b"{}\n")
    with pytest.raises(RefusedError, match="it may be evidence"):
        write_document(here, path, b"[]\n")
    assert path.read_bytes() == b"{}\n"
    (link := tmp_path / "link.json").symlink_to(path)
    with pytest.raises(RefusedError, match="it may be evidence"):
        write_document(here, link, b"{}\n")


def entries(folder: Path) -> list[str]:
    with Store.open(folder / "state") as store:
        found = list(store.ledger.entries())
    for before, entry in zip([None, *found], found, strict=False):
        assert entry.previous == (before.sha256 if before else GENESIS)
    return [entry.kind for entry in found]
