"""A recording answers as the machine did, and for what was never read it has no answer."""

import hashlib
import json
import os
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool
from diag.nodekit.recording import HUNG, Recorded, Recorder, machine_at
from sparkctl.model.recording import NOTE

READS: dict[str, Callable[[Machine], object]] = {
    "text": lambda machine: machine.read("/etc/hostname"),
    "bytes": lambda machine: machine.read_bytes("/etc/raw", 6),
    "cut": lambda machine: machine.read_bytes("/etc/hostname", 2),
    "no file": lambda machine: machine.read("/etc/none"),
    "denied": lambda machine: machine.read("/etc/shadow"),
    "there": lambda machine: machine.exists("/etc/hostname"),
    "not there": lambda machine: machine.exists("/etc/none"),
    "names": lambda machine: machine.names("/etc"),
    "no names": lambda machine: machine.names("/none"),
    "link": lambda machine: machine.link_target("/etc/link"),
    "no link": lambda machine: machine.link_target("/etc/hostname"),
    "modified": lambda machine: machine.modified("/etc/hostname"),
    "digest": lambda machine: machine.digest("/etc/raw"),
    "too large": lambda machine: machine.digest("/etc/raw", 7),
    "no digest": lambda machine: machine.digest("/etc/none"),
    "ran": lambda machine: machine.run(("tool", "-a")),
    "ran as root": lambda machine: machine.run(("tool", "-r"), elevate=True),
    "failed": lambda machine: machine.run(("tool", "-f")),
    "no tool": lambda machine: machine.run(("absent",)),
    "too slow": lambda machine: machine.run(("tool", "-s"), seconds=0.01),
    "no rights": lambda machine: machine.run(("tool", "-x"), elevate=True),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "node"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("spark01\n")
    (root / "etc/raw").write_bytes(b"\xff\x00abcdef")
    (root / "etc/shadow").write_text("secret")
    (root / "etc/link").symlink_to("hostname")
    commands = [
        {"argv": ["tool", "-a"], "stdout": "a\n", "stderr": "b", "rc": 0},
        {"argv": ["sudo", "-n", "tool", "-r"], "stdout": "root\n", "rc": 0},
        {"argv": ["tool", "-f"], "stdout": "", "stderr": "no", "rc": 3},
        {"argv": ["tool", "-s"], "stdout": "late", "rc": 0, "delay_s": 5},
    ]
    (root / "cmd").mkdir()
    (root / "cmd/commands.json").write_text(json.dumps(commands))
    (root / ".tree.json").write_text(json.dumps({"euid": 1000, "denied": ["/etc/shadow"], "now": 7.0}))
    return root


def record(tree: Path) -> tuple[Recorder, list[dict[str, Any]]]:
    elevated = frozenset({("tool", "-r"), ("tool", "-x")})
    recorder = Recorder(str(tree), "commands", elevated)
    notes: list[dict[str, Any]] = []
    recorder.note = lambda note: notes.append(json.loads(json.dumps(note)))
    recorder.about_to = lambda read: None
    return recorder, notes


def replayed(notes: list[dict[str, Any]], folder: Path) -> Machine:
    """The tree that the notes describe, laid out by hand."""
    recorded: dict[str, Any] = {"live": True, "ends": 3}
    commands = []
    for note in notes:
        op = note.pop("op")
        if op == "run":
            commands.append(note)
            continue
        path = note.pop("path")
        content = note.pop("text", None)
        data = content.encode() if content is not None else bytes_of(note.pop("base64", None))
        if data is not None:
            place = folder / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        recorded.setdefault(op, {})[path] = note
    (folder / "cmd").mkdir(parents=True, exist_ok=True)
    (folder / "cmd/commands.json").write_text(json.dumps(commands))
    (folder / ".tree.json").write_text(json.dumps({"euid": 1000, "recorded": recorded}))
    return machine_at(str(folder))


def bytes_of(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def outcome(read: Callable[[Machine], object], machine: Machine) -> object:
    try:
        return read(machine)
    except (OSError, MissingTool) as problem:
        return type(problem), str(problem)


@pytest.mark.parametrize("name", READS)
def test_a_recording_answers_as_the_machine_did(name: str, tree: Path, tmp_path: Path) -> None:
    recorder, notes = record(tree)
    seen = outcome(READS[name], recorder)
    assert len(notes) == 1
    replay = replayed(notes, tmp_path / "replay")
    assert isinstance(replay, Recorded)
    assert outcome(READS[name], replay) == seen
    assert [type(one) for one in replay.failures] == [type(one) for one in recorder.failures]


@pytest.mark.parametrize("name", READS)
def test_what_was_never_read_is_neither_there_nor_absent(name: str, tmp_path: Path) -> None:
    replay = replayed([], tmp_path)
    with pytest.raises(OSError, match="Not collected") as raised:
        READS[name](replay)
    assert not isinstance(raised.value, (FileNotFoundError, PermissionError, TimeoutError))


def test_more_than_was_recorded_is_not_made_up(tree: Path, tmp_path: Path) -> None:
    recorder, notes = record(tree)
    assert recorder.read_bytes("/etc/hostname", 4) == b"spar"
    replay = replayed(notes, tmp_path / "replay")
    assert replay.read_bytes("/etc/hostname", 3) == b"spa"
    with pytest.raises(OSError, match="Not collected beyond 4 bytes"):
        replay.read_bytes("/etc/hostname", 5)


def test_a_tree_without_recording_is_a_tree(tree: Path) -> None:
    assert not isinstance(machine_at(str(tree)), Recorded)
    assert not Machine(str(tree)).as_live
    assert Machine().as_live
    assert os.path.exists("/proc/self/stat") == machine_at(None).exists("/proc/self/stat")


def test_a_read_is_announced_before_it_is_made(tree: Path) -> None:
    recorder, _ = record(tree)
    announced: list[str] = []
    recorder.about_to = lambda read: announced.append(read["path"])
    recorder.note = lambda note: announced.append("done")
    recorder.exists("/etc/hostname")
    assert announced == ["/etc/hostname", "done"]


def test_a_read_that_never_returned_does_not_return_now_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diag.nodekit.recording.time.sleep", killed)
    replay = replayed([{"op": "exists", "path": "/sys/stuck", "error": HUNG}], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        replay.exists("/sys/stuck")


def test_commands_take_what_they_took_then(tmp_path: Path) -> None:
    note = {"op": "run", "argv": ["slow"], "elevate": False, "limit": 9, "rc": 0, "seconds": 2.5}
    replay = replayed(
        [note | {"stdout_file": "none"}, note | {"argv": ["b"], "error": HUNG | {"kind": "TimeoutError"}}], tmp_path
    )
    (tmp_path / "cmd/none").write_text("")
    started = replay.clock()
    replay.run(("slow",))
    with pytest.raises(TimeoutError):
        replay.run(("b",))
    assert replay.clock() - started == 5.0


def test_a_recording_that_does_not_say_of_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".tree.json").write_text(json.dumps({"recorded": {"read": {}}}))
    with pytest.raises(OSError, match="does not say of what"):
        machine_at(str(tmp_path))


def test_every_way_of_reading_is_recorded() -> None:
    """What Machine can read, a recorder must note, or the recording would call it absent."""
    built_on_others = {"read", "read_or_none", "link_name", "forgive"}
    not_of_programs = {"place", "run_here", "gather", "now", "clock"}
    ways = {name for name, value in vars(Machine).items() if callable(value) and not name.startswith("_")}
    for machine in (Recorder, Recorded):
        assert ways - built_on_others - not_of_programs <= vars(machine).keys(), machine


@pytest.mark.parametrize(("limit", "asked"), [(5, 5), (5, 3), (100, 5), (100, 100)])
def test_the_end_of_a_file_is_recorded_as_such(limit: int, asked: int, tree: Path, tmp_path: Path) -> None:
    recorder, notes = record(tree)
    recorder.read_newest("/etc/hostname", limit)
    replay = replayed(notes, tmp_path / "replay")
    assert replay.read_newest("/etc/hostname", asked) == Machine(str(tree)).read_newest("/etc/hostname", asked)


def test_an_end_is_not_taken_for_the_whole(tree: Path, tmp_path: Path) -> None:
    recorder, notes = record(tree)
    recorder.read_newest("/etc/hostname", 3)
    replay = replayed(notes, tmp_path / "replay")
    for read in (lambda: replay.read("/etc/hostname"), lambda: replay.read_newest("/etc/hostname", 4)):
        with pytest.raises(OSError, match="Not collected but for its"):
            read()


def test_a_recording_has_the_digest_of_a_file_and_not_its_content(tree: Path) -> None:
    recorder, notes = record(tree)
    digest = recorder.digest("/etc/raw")
    assert (digest.size, digest.sha256) == (8, hashlib.sha256(b"\xff\x00abcdef").hexdigest())
    assert notes == [{"op": "digest", "path": "/etc/raw", "value": [digest.sha256, "8"]}]
    assert NOTE.validate_python(notes[0])
