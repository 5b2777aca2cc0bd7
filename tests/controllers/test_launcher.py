"""The launcher's own text as real processes, with a folder of the test in place of /run/sparkctl."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diag.nodekit.act import launcher_text
from diag.nodekit.launcher import BOOT_ID, BUSY, FENCED, FOLDER, OTHER_BOOT, REPEATED, THEN

THIS_BOOT = "11111111-2222-3333-4444-555555555555"
ANOTHER = "99999999-2222-3333-4444-555555555555"
PATIENCE_SECONDS = 20.0


class Place:
    """A machine of its own for launchers: its folder of state, and which boot runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder / "run", folder / "said"
        boot = folder / "boot_id"
        boot.write_text(f"{THIS_BOOT}\n")
        text = launcher_text()
        for ours, its in ((FOLDER, self.folder), (BOOT_ID, boot)):
            assert text.count(json.dumps(ours)) == 1
            text = text.replace(json.dumps(ours), json.dumps(str(its)))
        self._text = text

    def start(self, act: int, *words: str, fence: int = 1, boot: str = THIS_BOOT) -> "subprocess.Popen[bytes]":
        """Start an act."""
        argv = [sys.executable, "-I", "-S", "-c", self._text, f"{act:032x}", str(fence), boot, "--", *words]
        with self.said.open("ab") as said:
            return subprocess.Popen(argv, stdout=said, stderr=said, start_new_session=True)

    def run(self, act: int, *words: str, fence: int = 1, boot: str = THIS_BOOT) -> int:
        """Run an act to its end."""
        status = self.start(act, *words, fence=fence, boot=boot).wait(timeout=PATIENCE_SECONDS)
        assert self.said.read_bytes() == b""
        return status

    def output(self, act: int) -> str:
        """What it printed."""
        return (self.folder / f"{act:032x}.out").read_text()

    def ended(self, act: int) -> dict[str, int] | None:
        """What it noted at its end."""
        path = self.folder / f"{act:032x}.ended"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def until(path: Path) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < give_up, f"{path} never came"
        time.sleep(0.01)


def holder(place: Place, act: int, folder: Path, name: str = "holding") -> "subprocess.Popen[bytes]":
    """An act that has begun and waits for a file `go`."""
    script = f"touch {folder}/{name}; while [ ! -e {folder}/go ]; do sleep 0.02; done"
    launcher = place.start(act, "/bin/sh", "-c", script)
    until(folder / name)
    return launcher


def test_commands_run_in_turn_until_one_fails(place: Place) -> None:
    assert place.run(1, "/bin/echo", "one", THEN, "/bin/echo", "two", "$HOME") == 0
    assert place.output(1) == "one\ntwo $HOME\n"
    assert place.run(2, "/bin/false", THEN, "/bin/echo", "never") == 1
    assert place.output(2) == ""
    ended = place.ended(2)
    assert ended is not None
    assert ended["exit_status"] == 1


def test_what_it_keeps_is_for_its_owner_alone(place: Place) -> None:
    assert place.run(1, "/bin/true") == 0
    assert place.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in place.folder.iterdir()} == {0}


def test_a_command_that_is_not_there_and_one_that_is_killed_are_told_apart(place: Place) -> None:
    assert place.run(1, "/no/such/command") == 127
    assert place.output(1) == "/no/such/command: No such file or directory\n"
    assert place.run(2, "/bin/sh", "-c", "kill -9 $$") == 128 + 9
    ended = place.ended(2)
    assert ended is not None
    assert ended["exit_status"] == -9


def test_no_act_with_a_lower_fence_runs_and_one_with_the_same_does(place: Place) -> None:
    assert place.run(1, "/bin/true", fence=5) == 0
    assert place.run(2, "/bin/echo", "late", fence=4) == FENCED
    assert not (place.folder / f"{2:032x}.began").exists()
    assert place.run(3, "/bin/true", fence=5) == 0
    assert place.run(4, "/bin/true", fence=12) == 0
    assert place.run(5, "/bin/true", fence=5) == FENCED


def test_an_act_meant_for_another_boot_does_not_run(place: Place, tmp_path: Path) -> None:
    assert place.run(1, "/bin/touch", str(tmp_path / "done"), boot=ANOTHER, fence=99) == OTHER_BOOT
    assert not (tmp_path / "done").exists()
    assert place.run(2, "/bin/true", fence=1) == 0, "what was refused must not raise the fence"


def test_an_act_runs_once(place: Place) -> None:
    assert place.run(1, "/bin/echo", "once") == 0
    assert place.run(1, "/bin/echo", "twice") == REPEATED
    assert place.output(1) == "once\n"


def test_while_one_runs_no_other_begins(place: Place, tmp_path: Path) -> None:
    first = holder(place, 1, tmp_path)
    assert place.run(2, "/bin/true") == BUSY
    (tmp_path / "go").touch()
    assert first.wait(timeout=PATIENCE_SECONDS) == 0
    assert place.run(3, "/bin/true") == 0


def test_of_many_that_start_at_once_exactly_one_runs(place: Place, tmp_path: Path) -> None:
    script = f"echo ran >> {tmp_path}/ran; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    launchers = [place.start(number, "/bin/sh", "-c", script) for number in range(6)]
    give_up = time.monotonic() + PATIENCE_SECONDS
    while sum(launcher.poll() is None for launcher in launchers) > 1 and time.monotonic() < give_up:
        time.sleep(0.02)
    (tmp_path / "go").touch()
    statuses = sorted(launcher.wait(timeout=PATIENCE_SECONDS) for launcher in launchers)
    assert statuses == [0, *[BUSY] * 5]
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_the_same_act_started_twice_at_once_runs_once(place: Place, tmp_path: Path) -> None:
    script = f"echo ran >> {tmp_path}/ran; sleep 0.2"
    launchers = [place.start(7, "/bin/sh", "-c", script) for _ in range(4)]
    statuses = sorted(launcher.wait(timeout=PATIENCE_SECONDS) for launcher in launchers)
    assert statuses[0] == 0
    assert set(statuses[1:]) <= {BUSY, REPEATED}
    assert (tmp_path / "ran").read_text() == "ran\n"


def test_a_killed_launcher_keeps_the_lock_as_long_as_its_command_runs(place: Place, tmp_path: Path) -> None:
    first = holder(place, 1, tmp_path)
    first.kill()
    first.wait(timeout=PATIENCE_SECONDS)
    assert place.run(2, "/bin/true") == BUSY
    os.killpg(first.pid, signal.SIGKILL)
    give_up = time.monotonic() + PATIENCE_SECONDS
    number = 3
    while place.run(number, "/bin/true") == BUSY and time.monotonic() < give_up:
        number += 1
    assert place.ended(number) is not None
    assert place.ended(1) is None
    assert place.run(1, "/bin/true") == REPEATED


def test_a_daemon_that_a_command_leaves_behind_does_not_keep_the_lock(place: Place, tmp_path: Path) -> None:
    script = f"setsid sh -c 'echo $$ > {tmp_path}/daemon; exec sleep 60' > /dev/null 2>&1 & "
    script += f"while [ ! -s {tmp_path}/daemon ]; do sleep 0.02; done"
    assert place.run(1, "/bin/sh", "-c", script) == 0
    daemon = int((tmp_path / "daemon").read_text())
    try:
        os.kill(daemon, 0)
        assert place.run(2, "/bin/true") == 0
    finally:
        os.kill(daemon, signal.SIGKILL)


def test_the_command_is_told_to_end_when_the_launcher_is(place: Place, tmp_path: Path) -> None:
    script = f"trap 'echo bye; exit 3' TERM; touch {tmp_path}/ready; while :; do sleep 0.02; done"
    launcher = place.start(1, "/bin/sh", "-c", script)
    until(tmp_path / "ready")
    launcher.terminate()
    assert launcher.wait(timeout=PATIENCE_SECONDS) == 3
    assert place.output(1) == "bye\n"


def test_an_unreadable_fence_runs_nothing(place: Place, tmp_path: Path) -> None:
    assert place.run(1, "/bin/true") == 0
    (place.folder / "fence").write_text("nonsense")
    assert place.start(2, "/bin/touch", str(tmp_path / "done")).wait(timeout=PATIENCE_SECONDS) == 1
    assert b"invalid literal" in place.said.read_bytes()
    assert not (tmp_path / "done").exists()


def test_systemd_finds_nothing_in_the_text_to_expand() -> None:
    assert "$" not in launcher_text()
    assert len(launcher_text()) < 8 * 1024
