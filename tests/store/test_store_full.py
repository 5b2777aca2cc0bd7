"""A disk without space is called that, with its folder, also by whoever only reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.errors import StoreError
from sparkctl.store import Store
from tests.chaos.test_bastion import fill, small_disk

SORT_MUCH = """
import sys
from pathlib import Path
from sparkctl.errors import StoreError
from sparkctl.store.database import open_database
numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
try:
    with open_database(Path(sys.argv[1]), create=False).reading() as connection:
        connection.exec_driver_sql(numbers + " SELECT hex(randomblob(60)) AS r FROM n ORDER BY r").fetchone()
except StoreError as error:
    print(error.message)
"""


def test_whoever_reads_on_a_full_disk_is_told_so(tmp_path: Path) -> None:
    with small_disk(tmp_path, "2m") as disk:
        Store.open(disk / "state").close()
        fill(disk)
        with pytest.raises(StoreError) as caught:
            Store.open(disk / "state", create=False)
    assert f"the disk is full that {disk / 'state'} is on" in caught.value.message
    assert "free some space" in (caught.value.hint or "")


def test_a_full_temporary_folder_is_named_instead_of_the_store(tmp_path: Path) -> None:
    Store.open(tmp_path / "state").close()
    with small_disk(tmp_path, "2m") as disk:
        fill(disk)
        ran = subprocess.run(
            [sys.executable, "-c", SORT_MUCH, str(tmp_path / "state")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SQLITE_TMPDIR": str(disk)},
            cwd=Path(__file__).parents[2],
            timeout=60,
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (
        ran.stdout
        == f"the store {tmp_path / 'state' / 'state.db'} cannot be used: the disk is full that {disk} is on\n"
    )
