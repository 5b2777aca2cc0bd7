"""Acts under a real systemd, with the very words that a node is asked to run."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diag.nodekit.act import Act, State, observe, start, unit_of
from diag.nodekit.acting import ActingMachine
from diag.nodekit.command import Ran
from diag.nodekit.launcher import FOLDER
from diag.nodekit.machine import MAX_FILE_BYTES
from tests.support.systemd_box import Box, Unavailable, systemd_box

pytestmark = pytest.mark.slow

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
PATIENCE_SECONDS = 20.0
TOOL = """#!/bin/sh
echo "I am at work" "$FROM_OUTSIDE"
echo "$1" >> /run/done-by
case "$1" in
    fails) echo "no luck" >&2; exit 7 ;;
    waits) while [ ! -e /run/go-on ]; do sleep 0.05; done ;;
    hangs) trap 'echo "told to end"; exit 9' TERM; while :; do sleep 0.05; done ;;
    leaves) setsid sh -c 'exec sleep 300' > /dev/null 2>&1 & ;;
    prints) head -c 6M /dev/zero | tr '\\0' x; sleep 3; echo; echo "the end" ;;
esac
echo "I am done"
"""


class BoxMachine(ActingMachine):
    """The machine inside the box."""

    def __init__(self, box: Box) -> None:
        self._box = box
        super().__init__()

    def look(self, argv: tuple[str, ...], *, seconds: float = 5.0, limit: int = MAX_FILE_BYTES) -> Ran:
        """Run a command inside."""
        ran = self._box.run(*argv, seconds=seconds + 30)
        return Ran(ran.returncode, ran.stdout.decode()[:limit], ran.stderr.decode()[:limit], truncated=False)

    def _locate(self, path: str, *, follow_last: bool = True) -> str:
        return self._box.place(path) if path.startswith(FOLDER) else super()._locate(path, follow_last=follow_last)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxMachine]:
    try:
        with systemd_box(tmp_path_factory.mktemp("box") / "box", {"tool": TOOL}) as box:
            yield BoxMachine(box)
    except Unavailable as why:
        pytest.skip(f"no systemd of its own here: {why}")


def act(number: int, behaviour: str, fence: int = 1) -> Act:
    return Act(f"{number:032x}", fence, BOOT_ID, "test apply", ("/mnt/tool", behaviour), 60.0, ("FROM_OUTSIDE=hello",))


def ended(machine: BoxMachine, wanted: Act) -> State:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        state = observe(machine, wanted.act_id)
        if state.result != "running" or time.monotonic() > give_up:
            return state
        time.sleep(0.05)


def done_by(machine: BoxMachine) -> list[str]:
    return machine.look(("cat", "/run/done-by")).stdout.split()


def test_an_act_that_ends_well_is_done_and_what_it_said_is_read_back(machine: BoxMachine) -> None:
    assert observe(machine, act(1, "well").act_id).result == "absent"
    assert start(machine, act(1, "well")) is None
    state = ended(machine, act(1, "well"))
    assert (state.result, state.exit_status) == ("done", 0)
    assert state.output == ("I am at work hello", "I am done")
    assert state.output_sha256 is not None
    assert state.duration_ms is not None


def test_an_act_that_fails_says_with_what(machine: BoxMachine) -> None:
    assert start(machine, act(2, "fails")) is None
    state = ended(machine, act(2, "fails"))
    assert (state.result, state.reason, state.exit_status) == ("failed", "exit_status", 7)
    assert state.output[-1] == "no luck"


def test_an_act_outlives_who_started_it_and_is_started_once(machine: BoxMachine) -> None:
    waiting = act(3, "waits")
    client = subprocess.Popen(machine._box.argv(waiting.starter), start_new_session=True)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while "waits" not in done_by(machine) and time.monotonic() < give_up:
        time.sleep(0.05)
    if client.poll() is None:
        os.killpg(client.pid, signal.SIGKILL)
    client.wait(timeout=10)
    assert observe(machine, waiting.act_id).result == "running"
    assert "already" in str(start(machine, waiting))
    other = act(4, "well")
    assert start(machine, other) is None
    refused = ended(machine, other)
    assert (refused.result, refused.reason) == ("failed", "busy")
    machine.look(("touch", "/run/go-on"))
    assert ended(machine, waiting).result == "done"
    assert done_by(machine).count("waits") == 1


def test_a_lower_fence_and_another_boot_are_refused_before_anything_runs(machine: BoxMachine) -> None:
    assert start(machine, act(5, "well", fence=9)) is None
    assert ended(machine, act(5, "well")).result == "done"
    before = done_by(machine)
    assert start(machine, act(6, "well", fence=8)) is None
    assert ended(machine, act(6, "well")).reason == "fenced"
    elsewhere = replace(act(7, "well", fence=9), boot_id="0" * 8 + BOOT_ID[8:])
    assert start(machine, elsewhere) is None
    assert ended(machine, elsewhere).reason == "other_boot"
    assert done_by(machine) == before


def test_an_act_without_end_is_told_to_end_at_its_limit(machine: BoxMachine) -> None:
    hanging = replace(act(8, "hangs", fence=9), longest_s=1.0)
    assert start(machine, hanging) is None
    state = ended(machine, hanging)
    assert (state.result, state.reason) == ("failed", "timeout")
    assert state.output[-1] == "told to end"


def test_a_daemon_that_an_act_left_behind_keeps_nobody_out(machine: BoxMachine) -> None:
    assert start(machine, act(9, "leaves", fence=9)) is None
    assert ended(machine, act(9, "leaves")).result == "done"
    processes = machine.look(("systemctl", "show", unit_of(act(9, "leaves").act_id), "--property=TasksCurrent")).stdout
    assert processes.strip() == "TasksCurrent=1"
    assert start(machine, act(10, "well", fence=9)) is None
    assert ended(machine, act(10, "well")).result == "done"


def test_a_unit_that_somebody_took_away_is_told_by_what_its_launcher_noted(machine: BoxMachine) -> None:
    ran = act(11, "fails", fence=9)
    assert start(machine, ran) is None
    assert ended(machine, ran).result == "failed"
    machine.look(("systemctl", "reset-failed", unit_of(ran.act_id)))
    state = ended(machine, ran)
    assert (state.result, state.exit_status) == ("failed", 7)
    times = done_by(machine).count("fails")
    assert start(machine, ran) is None
    assert ended(machine, ran).exit_status == 7
    assert done_by(machine).count("fails") == times


def test_what_an_act_prints_is_bounded(machine: BoxMachine) -> None:
    assert start(machine, act(12, "prints", fence=9)) is None
    state = ended(machine, act(12, "prints"))
    assert state.result == "done"
    assert state.output[-2:] == ("the end", "I am done")
    assert Path(machine._box.place(f"{FOLDER}/{12:032x}.out")).stat().st_size < 4 * 2**20


def test_what_is_kept_lies_in_memory_and_is_for_root_alone(machine: BoxMachine) -> None:
    assert machine.look(("stat", "--format=%a %U %F", FOLDER)).stdout == "700 root directory\n"
    assert machine.look(("stat", "--file-system", "--format=%T", FOLDER)).stdout == "tmpfs\n"
