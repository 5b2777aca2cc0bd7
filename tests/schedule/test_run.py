"""Real runs: silent when all went well, and of use when not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.schedule_file import read_plan
from sparkctl.app.schedule_memory import Keeper
from sparkctl.app.schedule_run import host_name, splay_of
from sparkctl.contract.outside import complaints
from sparkctl.store.lock import SweepLock
from tests.schedule.plans import GONE, plan_of, write_plan
from tests.support.command import environment, sparkctl
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow
QUICK = "  sweep: {every: 5m, run: health, splay: 0s, deadline: 2m}\n"


ONE = QUICK.replace("health,", "health, selector: sim-01,")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The line of a plan that names a simulated fleet of two nodes that are well."""
    folder = tmp_path_factory.mktemp("fleet")
    with running_lab(folder / "lab", 2, ["healthy"], seconds=1200):  # for all tests of this file
        yield f"fleet: {folder}/lab/fleet.yaml\n"


@pytest.fixture(scope="module")
def swept(fleet: str, tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    """A home after one sweep of the fleet, and how that ended."""
    home = tmp_path_factory.mktemp("swept")
    (home / "prom").mkdir()
    write_plan(home, QUICK, f"{fleet}prom: prom\n")
    return home, sparkctl("schedule", "run", "sweep", "--now", home=home, timeout=120)


def beat(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "state/schedules/sweep.json").read_text())
    return found


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sparkctl", "schedule", "run", "sweep", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home,
        env={**environment(home), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def test_a_sweep_is_silent_and_leaves_its_heartbeat(
    swept: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    home, ran = swept
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    found = beat(home)
    assert list(complaints(json.dumps(found).encode())) == []
    assert (found["outcome"], found["coverage"]) == ("done", {"selected": 2, "reported": 2, "unreported": 0})
    assert 'nodes_reported{schedule="sweep"} 2' in (home / "prom/sparkctl_sweep.prom").read_text()
    log = (home / "state/schedules/log/sweep.log").read_text()
    assert found["run_id"] in log
    assert "2 of 2 nodes reported" in log
    assert "run-record" not in log  # records are in the store


def test_two_cron_runs_at_once_sweep_once(tmp_path: Path, fleet: str) -> None:
    home = tmp_path
    write_plan(home, ONE, fleet)
    both = [start(home), start(home)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said == [("", ""), ("", "")]
    assert (home / "state/schedules/log/sweep.log").read_text().count("begin:") == 1
    assert (beat(home)["outcome"], beat(home)["skips"]["total"]) == ("done", 0)
    assert beat(home)["due_at"] is not None


def test_a_lock_that_is_free_soon_is_waited_for(tmp_path: Path, fleet: str) -> None:
    home = tmp_path
    write_plan(home, ONE, fleet)
    with SweepLock(home / "state", ["sparkctl", "collect"]):
        waiting = start(home, "--now")
        while not (home / "state/schedules/sweep.run.lock").exists():
            assert waiting.poll() is None
            time.sleep(0.05)
    assert waiting.communicate(timeout=120) == ("", "")
    assert beat(home)["outcome"] == "done"


def test_a_run_that_is_killed_leaves_the_old_heartbeat_and_the_next_one_runs(
    swept: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    home, _ = swept
    before, log = beat(home), home / "state/schedules/log/sweep.log"
    begun = log.read_text().count("begin:")
    killed = start(home, "--now")
    while log.read_text().count("begin:") == begun:
        assert killed.poll() is None
        time.sleep(0.05)
    killed.kill()
    killed.communicate(timeout=60)
    assert beat(home) == before
    assert sparkctl("schedule", "run", "sweep", "--now", home=home, timeout=120).returncode == 0
    assert beat(home)["finished_at"] > before["finished_at"]
    assert not [path for path in (home / "state/schedules").iterdir() if path.name.startswith(".")]


def test_skips_are_silent_until_there_are_too_many(tmp_path: Path) -> None:
    """The first start finds another one of its schedule, the second waits a third of its time for another command."""
    schedule = "  sweep: {every: 5m, run: health, splay: 0s, deadline: 30s, complain_after: 2}\n"
    (tmp_path / "fleet.yaml").write_text("nodes:\n  here: {transport: local}\n")
    path = write_plan(tmp_path, schedule)
    memory = tmp_path / "state/schedules/sweep.memory"
    plan = read_plan(path)
    keeper = Keeper(plan, plan.schedules["sweep"])
    keeper.prepare()
    with keeper.running():
        first = sparkctl("schedule", "run", "sweep", "--file", path, home=tmp_path, timeout=120)
    forgotten = {**json.loads(memory.read_text()), "taken": None}
    memory.write_text(json.dumps(forgotten))  # as if the next start had come
    with SweepLock(tmp_path / "state", ["sparkctl", "health", "a-long-one"]):
        second = sparkctl("schedule", "run", "sweep", "--file", path, home=tmp_path, timeout=120)
    remembered = json.loads(memory.read_text())
    assert (first.returncode, first.stderr) == (0, "")
    assert second.returncode == 75
    assert "2 times in a row" in second.stderr
    assert "a-long-one" in second.stderr
    assert not (tmp_path / "state/schedules/sweep.json").exists()
    assert remembered["skips"]["total"] == 2


def test_a_failure_says_what_and_where(tmp_path: Path) -> None:
    write_plan(tmp_path, QUICK)
    ran = sparkctl("schedule", "run", "sweep", "--now", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    for words in ("sweep", "2 (usage)", "fleet.yaml: there is no such file", "sweep.log", "--now"):
        assert words in ran.stderr
    assert (beat(tmp_path)["outcome"], beat(tmp_path)["last_done_at"]) == ("failed", None)


def test_too_few_nodes_are_a_failure_and_findings_can_be_loud(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(GONE)
    write_plan(tmp_path, QUICK)
    ran = sparkctl("schedule", "run", "sweep", "--now", home=tmp_path)
    assert ran.returncode == 3
    assert "too few nodes reported, less than 50%; 0 of 1 nodes reported" in ran.stderr
    write_plan(tmp_path, QUICK.replace("health,", "health, min_coverage: 0%,"))
    assert sparkctl("schedule", "run", "sweep", "--now", home=tmp_path).returncode == 0
    write_plan(tmp_path, QUICK.replace("health,", "health, min_coverage: 0%, quiet_on: [ok],"))
    ran = sparkctl("schedule", "run", "sweep", "--now", home=tmp_path)
    assert (ran.returncode, "3 (unjudged)" in ran.stderr) == (3, True)


def test_a_hang_is_ended_at_the_deadline(tmp_path: Path) -> None:
    """A command that ignores SIGTERM and leaves a child that holds its pipes."""
    stuck = tmp_path / "bin"
    stuck.mkdir()
    (stuck / "sparkctl").write_text("#!/bin/sh\ntrap '' TERM\necho stuck >&2\nsleep 600 & wait\nwait\n")
    (stuck / "sparkctl").chmod(0o755)
    probe = (
        "import sys\nfrom sparkctl.app import schedule_child as child\n"
        f"child.STOP_S = 0.5\nchild.program = lambda: ({str(stuck / 'sparkctl')!r},)\n"
        "ended = child.run_to_the_end([], 1, child.Interrupted(), print)\n"
        "print(ended.code, ended.late, ended.killed, ended.said)\n"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.splitlines() == ["stderr: stuck", f"-{signal.SIGKILL:d} True True ['stuck']"]


def test_a_signal_ends_the_run_in_good_order(tmp_path: Path) -> None:
    home = tmp_path
    for splay in range(180, 120, -1):  # one that makes this very host wait for long
        schedule = f"  sweep: {{every: 5m, run: health, splay: {splay}s, deadline: 1m}}\n"
        if splay_of(plan_of(home, schedule).schedules["sweep"], host_name()) > 60:
            break
    write_plan(home, schedule)
    memory = home / "state/schedules/sweep.memory"
    waiting = start(home)
    while not memory.exists():
        assert waiting.poll() is None
        time.sleep(0.05)
    os.kill(waiting.pid, signal.SIGTERM)
    _, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 3
    assert "stopped before it began" in said
    assert not (home / "state/schedules/sweep.json").exists()


def test_a_page_is_written_by_the_clock_whatever_it_tells(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "fleet.yaml").write_text("nodes:\n  spark[1-2]: {transport: local}\n")
    page = "  page: {at: 06:00, run: report, selector: spark1, with: {html: www/fleet.html, max_age: 7d}}\n"
    ran = sparkctl("schedule", "run", "page", "--now", "--file", write_plan(tmp_path, page), home=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert "<h3>spark1</h3>" in (tmp_path / "www/fleet.html").read_text("utf-8")
    found = json.loads((tmp_path / "state/schedules/page.json").read_text())
    assert (found["outcome"], found["exit_name"], found["selector"]) == ("done", "unjudged", "spark1")
    (tmp_path / "www/fleet.html").unlink()
    (tmp_path / "www").rmdir()
    ran = sparkctl("schedule", "run", "page", "--now", "--file", tmp_path / "schedules.yaml", home=tmp_path)
    assert (ran.returncode, "there is no folder" in ran.stderr) == (2, True)
