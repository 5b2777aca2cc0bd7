"""A tree made of a recording: the programs see in it what they saw, and a hostile node writes nothing elsewhere."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.problems import MissingTool
from diag.nodekit.recording import machine_at
from sparkctl.app.recorded_tree import MOST_COPIES, MOST_DEPTH, RecordedTree, lines_of
from sparkctl.errors import ContractError
from sparkctl.model.evidence_path import checked_path, require_apart

MACHINE = {"op": "machine", "live": True, "now": 7.5, "euid": 0, "ends": 3}


def built(folder: Path, *notes: dict[str, Any]) -> RecordedTree:
    root = folder / "tree"
    root.mkdir()
    tree = RecordedTree(root, simulated=False)
    tree.add(json.dumps(note).encode() for note in (MACHINE, *notes))
    tree.close()
    return tree


def test_the_longer_read_counts_and_a_failure_does_not_hide_it(tmp_path: Path) -> None:
    failed = {"kind": "OSError", "words": "Permission denied", "errno": 13}
    tree = built(
        tmp_path,
        {"op": "read", "path": "/etc/a", "limit": 2, "text": "ab"},
        {"op": "read", "path": "/etc/a", "limit": 9, "text": "abc"},
        {"op": "read", "path": "/etc/a", "limit": 99, "error": failed},
        {"op": "read", "path": "/etc/b", "limit": 9, "error": failed},
        {"op": "read", "path": "/etc/b", "limit": 9, "base64": "/wA="},
    )
    machine = machine_at(str(tree.root))
    assert machine.read("/etc/a") == "abc"
    assert machine.read_bytes("/etc/b", 9) == b"\xff\0"
    assert (machine.is_root, machine.now(), machine.as_live) == (True, 7.5, True)


def test_errors_come_back_as_they_were(tmp_path: Path) -> None:
    tree = built(
        tmp_path,
        {"op": "read", "path": "/a", "limit": 1, "error": {"kind": "OSError", "words": "No such file", "errno": 2}},
        {"op": "run", "argv": ["x"], "elevate": False, "limit": 1, "error": {"kind": "MissingTool", "words": "x"}},
        {"op": "run", "argv": ["y"], "elevate": True, "limit": 1, "error": {"kind": "TimeoutError", "words": "late"}},
    )
    machine = machine_at(str(tree.root))
    assert machine.read_or_none("/a") is None
    with pytest.raises(MissingTool):
        machine.run(("x",))
    with pytest.raises(TimeoutError, match="late"):
        machine.run(("y",), elevate=True)


@pytest.mark.parametrize(
    "path",
    [
        "/.tree.json",
        "//.tree.json",
        "/./.tree.json",
        "/cmd/commands.json",
        "/cmd/./commands.json",
        "/cmd/run-0000",
        "/",
        "/" + "a" * 300,
        "/" + "/".join(["a" * 200] * 4 + ["\\" * 50] * 2),
    ],
)
def test_what_has_no_place_is_left_out_and_counted(path: str, tmp_path: Path) -> None:
    tree = built(
        tmp_path,
        {"op": "read", "path": "/etc/file", "limit": 9, "text": "x"},
        {"op": "read", "path": path, "limit": 9, "text": "evil"},
    )
    assert tree.left_out == 1
    assert [found.name for found in tmp_path.iterdir()] == ["tree"]
    assert not [found for found in tmp_path.rglob("*") if found.is_file() and found.read_text() == "evil"]


def test_a_path_that_climbs_is_a_name_like_others(tmp_path: Path) -> None:
    tree = built(
        tmp_path,
        {"op": "read", "path": "/../outside", "limit": 9, "text": "one"},
        {"op": "read", "path": "/sys/dev/../speed", "limit": 9, "text": "two"},
        {"op": "read", "path": "/sys/speed", "limit": 9, "text": "three"},
    )
    machine = machine_at(str(tree.root))
    assert [machine.read(path) for path in ("/../outside", "/sys/dev/../speed", "/sys/speed")] == [
        "one",
        "two",
        "three",
    ]
    assert [found.name for found in tmp_path.iterdir()] == ["tree"]


def test_names_that_no_bundle_holds_and_names_that_are_one_without_case_are_found_again(tmp_path: Path) -> None:
    paths = [
        "/sys/fs/cgroup/dev-disk-by\\x2duuid-1.swap/cpu.stat",
        "/etc/two\nlines",
        "/etc/over\u202eridden",
        "/sys/module/xt_TCPMSS/taint",
        "/sys/module/xt_tcpmss/taint",
        "/sys/module/XT_TCPMSS/taint",
        "/etc/caf\u00e9",
        "/etc/cafe\u0301",
        "/etc/file",
        "/etc/FILE/below",
        "/etc/a%5Cb",
        "/etc/a\\b",
    ]
    tree = built(tmp_path, *({"op": "read", "path": path, "limit": 1000, "text": path} for path in paths))
    machine = machine_at(str(tree.root))
    assert [machine.read_bytes(path, 1000).decode() for path in paths] == paths
    found = [f"tree/{file.relative_to(tree.root).as_posix()}" for file in tree.root.rglob("*") if file.is_file()]
    require_apart(checked_path(path) for path in found)
    assert len(found) == len(paths) + 2


def test_so_many_names_that_are_one_without_case_have_no_place(tmp_path: Path) -> None:
    names = ["".join(letters) for letters in itertools.product("aA", repeat=4)]
    tree = built(tmp_path, *({"op": "read", "path": f"/{name}", "limit": 9, "text": name} for name in names))
    assert tree.left_out == len(names) - MOST_COPIES


def test_what_is_too_deep_or_too_many_is_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "/a" * MOST_DEPTH
    monkeypatch.setattr("sparkctl.app.recorded_tree.MOST_FILES", 4)
    monkeypatch.setattr("sparkctl.app.recorded_tree.MOST_FOLDERS", MOST_DEPTH + 1)
    ran = [{"op": "run", "argv": [name], "elevate": False, "limit": 1, "stdout": name} for name in "xyz"]
    paths = [f"{deep}/deep", deep, "/b/one", "/c/folder-too-many", "/two"]
    tree = built(
        tmp_path,
        *({"op": "read", "path": path, "limit": 9, "text": "x"} for path in paths),
        *ran,
        {"op": "read", "path": "/file-too-many", "limit": 9, "text": "x"},
        {"op": "read", "path": "/two", "limit": 99, "text": "longer"},
    )
    assert tree.left_out == 5
    machine = machine_at(str(tree.root))
    assert [machine.read(path) for path in (deep, "/b/one", "/two")] == ["x", "x", "longer"]
    assert machine.run(("x",)).stdout == "x"
    assert len([path for path in tree.root.rglob("*") if path.is_file()]) == 4 + 2


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"op": "write", "path": "/a"}',
        b'{"op": "read", "path": "relative", "limit": 1, "text": ""}',
        b'{"op": "read", "path": "/a\\u0000b", "limit": 1, "text": ""}',
        b'{"op": "read", "path": "/a", "limit": 1, "base64": "?"}',
        b'{"op": "read", "path": "/a", "limit": -1, "text": ""}',
        b'{"op": "run", "argv": [], "elevate": false, "limit": 1}',
    ],
)
def test_what_is_no_note_is_refused(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        RecordedTree(tmp_path, simulated=False).add([line])


def test_a_note_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    spooled = tmp_path / "00001"
    spooled.write_bytes(b'{"a": 1}\n{"b":')
    assert list(lines_of(spooled)) == [b'{"a": 1}\n']


def test_a_note_that_was_cut_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    tree = RecordedTree(tmp_path, simulated=False)
    hung = json.dumps({"op": "exists", "path": "/sys/x", "error": {"kind": "Hung", "words": ""}}).encode()
    spooled = tmp_path / "00001"
    spooled.write_bytes(json.dumps(MACHINE).encode() + b"\n" + hung[:30] + b"\n" + hung + b"\n")
    tree.add(lines_of(spooled), is_whole=False)
    tree.close()
    assert tree.left_out == 1
    with pytest.raises(ContractError):
        RecordedTree(tmp_path, simulated=False).add(lines_of(spooled))
