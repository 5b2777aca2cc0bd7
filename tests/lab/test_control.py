"""Starting, changing and stopping a lab."""

import json
import os
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparkctl.errors import BusyError, UsageError
from sparkctl.lab import control, state
from sparkctl.lab.characters import CHARACTERS, FAULT_TABLE, cast
from sparkctl.lab.state import Lab, LabNode
from tests.lab.client import visit
from tests.lab.conftest import StartLab
from tests.lab.leftovers import eventually, processes_of


def test_a_lab_comes_up_says_that_it_is_simulated_and_leaves_nothing(tmp_path: Path, start_lab: StartLab) -> None:
    lab = start_lab("healthy", "healthy", "full-disk")
    stated = json.loads((lab.directory / "lab.json").read_text())
    assert stated["simulated"] is True
    assert [node["name"] for node in stated["nodes"]] == ["sim-01", "sim-02", "sim-03"]
    assert [node.character for node in lab.nodes] == ["founders", "founders", "full-disk"]
    assert len({node.address for node in lab.nodes}) == 3
    assert "simulated: true" in lab.fleet_file.read_text()
    assert stat.S_IMODE(lab.identity_file.stat().st_mode) == 0o600
    assert control.load(lab.directory) == lab
    port = lab.port or 0
    assert control.down(lab.directory) is True
    assert control.load(lab.directory) is None
    assert control.down(lab.directory) is False
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((lab.nodes[0].address, port), timeout=5)


def test_a_second_lab_in_the_same_folder_is_refused_and_one_beside_it_is_not(start_lab: StartLab) -> None:
    first = start_lab("healthy")
    with pytest.raises(BusyError, match="already runs"):
        control.up(first.directory, 1, None, 0)
    second = start_lab("healthy", folder="other")
    assert (second.nodes[0].address, second.port) != (first.nodes[0].address, first.port)
    assert visit(first, "sim-01", "echo here").stdout == visit(second, "sim-01", "echo here").stdout == b"here\n"


def test_a_killed_lab_is_recognised_and_its_folder_used_again(start_lab: StartLab) -> None:
    lab = start_lab("healthy")
    os.kill(lab.pid or 0, signal.SIGKILL)
    assert eventually(lambda: control.load(lab.directory) is None)
    with pytest.raises(UsageError, match="no lab runs"):
        control.break_node(lab.directory, "sim-01", "down")
    again = start_lab("healthy")
    assert visit(again, "sim-01", "echo again").stdout == b"again\n"


def test_down_ends_what_a_killed_server_left_behind(start_lab: StartLab) -> None:
    lab = start_lab("healthy")
    assert visit(lab, "sim-01", f"kill -9 {lab.pid}; exec sleep 60").connected is False
    assert eventually(lambda: control.load(lab.directory) is None)
    assert processes_of(lab.directory)
    assert control.down(lab.directory) is False
    assert eventually(lambda: processes_of(lab.directory) == [])


@pytest.mark.parametrize("limit", ["seconds", "idle_seconds"])
def test_a_lab_whose_owner_is_gone_ends_by_itself(start_lab: StartLab, limit: str) -> None:
    lab = start_lab("healthy", **{limit: 0.1})
    assert eventually(lambda: control.load(lab.directory) is None)
    assert eventually(lambda: processes_of(lab.directory) == [])


def test_break_and_mend_change_a_running_node(start_lab: StartLab) -> None:
    lab = start_lab("asus", "healthy")
    read = "cat $SPARKCTL_LAB_TREE/cmd/commands.json"
    healthy = visit(lab, "sim-01", read).stdout
    control.break_node(lab.directory, "sim-01", "full-disk")
    assert visit(lab, "sim-01", read).stdout != healthy
    control.break_node(lab.directory, "sim-01", "nologin")
    assert visit(lab, "sim-01", read).stdout.startswith(b"This account is currently not available")
    control.break_node(lab.directory, "sim-01", "down")
    with pytest.raises(ConnectionRefusedError):
        visit(lab, "sim-01", read)
    mended = control.mend(lab.directory, "sim-01")
    assert mended.node("sim-01").character == "asus"
    assert visit(lab, "sim-01", read).stdout == healthy
    assert visit(lab, "sim-02", "echo untouched").stdout == b"untouched\n"


def test_changes_made_at_the_same_time_all_hold(start_lab: StartLab) -> None:
    lab = start_lab(*["healthy"] * 6)
    names = [node.name for node in lab.nodes]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: control.break_node(lab.directory, name, "nologin"), names))
    changed = control.load(lab.directory)
    assert changed is not None
    assert {node.fault for node in changed.nodes} == {"nologin"}
    assert {visit(lab, name, "true").status for name in names} == {1}


def test_unknown_names_are_answered_with_those_that_exist(tmp_path: Path, start_lab: StartLab) -> None:
    lab = start_lab("healthy")
    with pytest.raises(UsageError, match="no fault 'full-disc'") as refused:
        control.break_node(lab.directory, "sim-01", "full-disc")
    assert "full-disk" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="no node 'sim-09'") as refused:
        control.mend(lab.directory, "sim-09")
    assert refused.value.hint == "its nodes: sim-01"
    with pytest.raises(UsageError, match="no character 'healthier'"):
        control.up(tmp_path / "never", 1, ["healthier"], 0)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("nodes", [0, -1, 1001])
def test_an_impossible_size_is_refused(tmp_path: Path, nodes: int) -> None:
    with pytest.raises(UsageError, match="1 to 1000 nodes"):
        control.up(tmp_path / "lab", nodes, None, 0)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="something else"):
        control.up(tmp_path, 1, None, 0)
    assert control.down(tmp_path) is False
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UsageError, match="something else"):
        control.up(tmp_path / "thesis.tex", 1, None, 0)


def test_a_place_where_no_folder_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot use .*/file/lab: Not a directory"):
        control.up(tmp_path / "file" / "lab", 1, None, 0)


def test_an_address_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    node = LabNode("sim-01", "192.0.2.1", "founders")  # TEST-NET-1: no machine has it
    lab = Lab(directory=tmp_path / "lab", seed=0, created="now", nodes=(node,))
    lab.directory.mkdir()
    state.save(lab)
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1: Cannot assign"):
        control._start(lab)
    assert not lab.directory.exists()


def test_a_damaged_state_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{not json")
    with pytest.raises(UsageError, match=r"lab\.json is not the state of a lab"):
        control.load(tmp_path)


def test_a_fleet_of_24_has_the_broken_ones_that_the_demo_promises() -> None:
    players = cast(24, None)
    faults = {fault for _, fault in players if fault}
    wanted = {
        "full-disk", "hot", "memory-wedge", "driver-missing", "connectx-absent", "gpu-power-wedge", "failed-units",
        "clock-unsynchronised", "never-answers", "changed-host-key",
    }  # fmt: skip
    assert wanted <= faults
    assert sum(fault is None for _, fault in players) > len(players) / 2
    assert len({make for make, _ in players}) == 8
    assert [fault for _, fault in cast(5, ["healthy"])] == [None] * 5


def test_every_character_has_a_description() -> None:
    assert {"founders", "asus", "dell", "lenovo", "hp", "msi", "gigabyte", "acer"} < set(CHARACTERS)
    assert all(description and "\n" not in description for description in CHARACTERS.values())
    assert all(fault.change or fault.acts or fault.behaviour != "normal" for fault in FAULT_TABLE.values())


def test_the_page_on_the_lab_names_every_character() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lab.md").read_text("utf-8")
    assert [name for name in CHARACTERS if not name.startswith("lies-") and f"`{name}`" not in page] == []
