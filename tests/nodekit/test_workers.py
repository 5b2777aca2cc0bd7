"""What hangs costs its own budget and nothing else."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.check import Check, LoadedCheck
from diag.nodekit.finding import Finding
from diag.nodekit.judge import Observation, group_by_observation
from diag.nodekit.machine import Machine
from diag.nodekit.workers import judge_all
from tests.support.trees import build_tree


def check(name: str, observe: Callable[[Machine], Any], seconds: float = 0.5) -> LoadedCheck:
    return LoadedCheck(name, Check(title=name, seconds=seconds), observe, lambda seen: Finding("pass", str(seen)))


def judge(*checks: LoadedCheck, machine: Machine | None = None, seconds: float = 20) -> dict[str, dict[str, Any]]:
    tasks = group_by_observation(list(checks))
    results = judge_all(tasks, machine or Machine(), deadline=time.monotonic() + seconds)
    return {document["check"]: document for document in results.documents}


def pids_of(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _read_stuck(_: int, machine: Machine) -> str:
    return machine.read("/stuck")


def _sleep(_: int, __: Machine) -> None:
    time.sleep(30)


def test_a_read_that_hangs_costs_only_its_own_check(tmp_path: Path) -> None:
    build_tree(tmp_path, files={"/fine": "fine\n"}, facts={"simulated": True})
    os.mkfifo(tmp_path / "stuck")
    machine = Machine(str(tmp_path))
    found = judge(
        *(check(f"stuck.{number}", functools.partial(_read_stuck, number)) for number in range(6)),
        check("fine.read", lambda machine: machine.read("/fine")),
        machine=machine,
    )
    assert found["fine.read"]["summary"] == "fine"
    assert {found[f"stuck.{number}"]["reason"] for number in range(6)} == {"timeout"}


def test_a_command_that_hangs_is_killed_with_its_children() -> None:
    mark = f"sparkctl-test-{os.getpid()}-{time.monotonic_ns()}"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', '{mark}'])"
    found = judge(
        check("stuck.command", lambda machine: machine.run((sys.executable, "-c", script, mark), seconds=0.3)),
        check("fine.command", lambda machine: machine.run(("echo", "fine")).stdout.strip()),
    )
    assert found["stuck.command"]["reason"] == "timeout"
    assert found["fine.command"]["summary"] == "fine"
    deadline = time.monotonic() + 5
    while pids_of(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids_of(mark) == []


def test_a_worker_that_dies_is_replaced() -> None:
    found = judge(
        check("dead.worker", lambda _: os.kill(os.getpid(), signal.SIGKILL)),
        check("fine.first", lambda _: 1),
        check("fine.second", lambda _: 2),
    )
    assert found["dead.worker"]["reason"] == "io_error"
    assert (found["fine.first"]["status"], found["fine.second"]["status"]) == ("pass", "pass")


def test_when_the_programs_time_runs_out_the_rest_is_unknown() -> None:
    slow = [check(f"slow.{number}", functools.partial(_sleep, number), seconds=30) for number in range(8)]
    found = judge(*slow, check("fine.first", lambda _: 1), seconds=0.6)
    assert len(found) == 9
    assert {found[name]["reason"] for name in found if name.startswith("slow")} == {"timeout"}


@pytest.mark.parametrize(
    ("problem", "status", "reason"),
    [
        (PermissionError(13, "Permission denied", "/x"), "unknown", "not_permitted"),
        (FileNotFoundError(2, "No such file", "/x"), "unknown", "io_error"),
        (ValueError("not a number"), "unknown", "parse_error"),
        (TimeoutError("slow"), "unknown", "timeout"),
        (KeyError("gone"), "unknown", "parse_error"),
    ],
)
def test_whatever_an_observation_raises_is_an_honest_unknown(problem: Exception, status: str, reason: str) -> None:
    def fail(_: Machine) -> None:
        raise problem

    found = judge(check("broken.check", fail), check("fine.check", lambda _: 1))
    assert (found["broken.check"]["status"], found["broken.check"]["reason"]) == (status, reason)
    assert found["fine.check"]["status"] == "pass"


def test_a_bug_in_a_check_is_reported_as_one() -> None:
    nothing: dict[str, int] = {}
    _, bugs = Observation([check("broken.check", lambda _: nothing["gone"])]).judge(Machine())
    assert bugs == ["KeyError: 'gone'"]


def test_checks_that_share_an_observation_observe_once(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("")

    def observe(_: Machine) -> int:
        with (tmp_path / "count").open("a") as file:
            file.write("x")
        return 1

    judge(check("first.check", observe), check("second.check", observe))
    assert (tmp_path / "count").read_text() == "x"


def test_standard_output_ends_even_if_a_worker_cannot_die() -> None:
    """A left-behind worker holds none of our streams: whoever reads them sees their end."""
    program = textwrap.dedent(f"""
        import os, sys, time; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from diag.nodekit import workers
        workers.Worker.stop = lambda self: print(self.pid)  # as if it sat in the kernel
        from diag.nodekit.check import Check, LoadedCheck
        from diag.nodekit.judge import group_by_observation
        from diag.nodekit.machine import Machine
        stuck = LoadedCheck("a.b", Check(title="t", seconds=0.1), lambda _: time.sleep(600), None)
        workers.judge_all(group_by_observation([stuck]), Machine(), deadline=time.monotonic() + 5)
        sys.stdout.flush(); os._exit(0)
    """)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    left_behind = int(ran.stdout.split()[0])
    try:
        assert Path(f"/proc/{left_behind}").exists()
    finally:
        os.kill(left_behind, signal.SIGKILL)
