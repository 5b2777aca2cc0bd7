"""The operators' page shows inventories that load, and names every key, field and column."""

import re
from pathlib import Path

from sparkctl.inventory.ansible_variables import is_connection
from sparkctl.inventory.csv_file import COLUMNS
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import FIELDS
from sparkctl.inventory.values import LISTS, SCALARS

PAGE = (Path(__file__).parents[2] / "docs/inventory.md").read_text(encoding="utf-8")


def test_the_examples_load(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "hosts.ini").write_text("h1\n")
    (tmp_path / "nodes.csv").write_text("name\nc1\n")
    path = tmp_path / "fleet.yaml"
    sizes = []
    for example in examples:
        path.write_text(example)
        sizes.append(len(load_fleet(path).nodes))
    assert sizes == [16, 20]


def test_every_key_is_named() -> None:
    words = set(re.findall(r"[a-z_.]+", PAGE))
    assert {*SCALARS, *LISTS} - {f"ssh.{key}" for key in words} <= words
    assert FIELDS - {"node", "group"} <= words
    assert set(COLUMNS) - {"identity_file", "identity_files"} <= words


def test_the_variables_named_are_read() -> None:
    (table,) = re.findall(r"\| variable \| becomes \|\n(.*?)\n\n", PAGE, re.DOTALL)
    names = re.findall(r"`(ansible_[a-z_]*[a-z])`", table)
    assert len(names) > 7
    assert all(map(is_connection, names))
