"""All facets of every make that the lab plays, as root and as an ordinary user."""

import shutil
from pathlib import Path

import pytest

from sparkctl.lab.makes import MAKES
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.model.facets.catalogue import FACETS
from tests.facets.harness import at, collected

FILLERS = {make.name for make in MAKES.values() if make.filler}


def trees(make: str, folder: Path, name: str = "spark07") -> tuple[Path, Path]:
    """The tree of a node as an ordinary user sees it, and as root does."""
    write_tree(render(NodeModel(name, "1", MAKES[make])), folder / name, Pool(folder / "pool"), 1_790_000_000.0)
    root = (folder / name).resolve()
    return root, root_view(root)


@pytest.mark.parametrize("make", MAKES)
def test_every_facet_of_every_make_can_be_collected_by_root_and_by_a_user(make: str, tmp_path: Path) -> None:
    user, root = trees(make, tmp_path)
    for name in FACETS:
        assert {gap["reason"] for gap in collected(name, user, "none")["gaps"]} <= {"not_permitted"}
        assert [gap["path"] for gap in collected(name, root, "root")["gaps"]] == []


@pytest.mark.parametrize("make", MAKES)
def test_identity_is_right_with_and_without_root(make: str, tmp_path: Path) -> None:
    user, root = trees(make, tmp_path)
    as_user, as_root = collected("identity", user, "none")["data"], collected("identity", root, "root")["data"]
    assert as_user["serial"] == as_root["serial"] == "SIM0000000007"
    assert (as_user["serial_source"], as_root["serial_source"]) == ("dgx_release.serial", "smbios.product_serial")
    assert as_user["platform"]["is_gb10"] is True
    board = at(as_root, "identifiers[smbios.board_serial]")
    assert (board is not None and board["placeholder"]) == (make in FILLERS)


def test_two_clones_are_told_apart(tmp_path: Path) -> None:
    one, other = (trees("asus", tmp_path / name, name)[1] for name in ("spark01", "spark02"))
    for cloned in ("etc/machine-id", "etc/ssh/ssh_host_ed25519_key.pub"):
        (other / cloned).unlink()
        shutil.copy(one / cloned, other / cloned)
    first, second = (collected("identity", root, "root")["data"] for root in (one, other))
    assert first["machine_id"] == second["machine_id"]
    assert first["host_keys"]["ssh-ed25519"] == second["host_keys"]["ssh-ed25519"]
    assert first["serial"] != second["serial"]
    assert first["drives"] != second["drives"]
