"""Worker processes: the same outcomes as without them, the same limits, and nobody lost whoever dies."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sparkctl.executor.worker import pack, receive
from sparkctl.store.lock import SweepLock
from tests.executor.test_fanout import counting_program, most_at_once
from tests.support.command import environment, json_lines, sparkctl
from tests.support.labs import running_lab
from tests.support.sshd import Sshd

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
STUCK = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
UNTIL_GO = "import os, time\nwhile not os.path.exists({path!r}): time.sleep(0.02)"


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive its test."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def start(folder: Path, nodes: list[dict[str, Any]], program: str, **task: Any) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.executor.pooled"], cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**environment(folder), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps({"nodes": nodes, "program": program, **task}))
    process.stdin.close()
    process.stdin = None
    return process


def outcomes(process: subprocess.Popen[str]) -> tuple[dict[str, dict[str, str]], dict[str, float]]:
    """What was said of each node, each of them once, and the cost."""
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    *lines, cost = [json.loads(line) for line in printed.splitlines()]
    found = {line["node"]: line for line in lines}
    assert len(found) == len(lines)
    return found, cost


def local(count: int, **parts: Any) -> list[dict[str, Any]]:
    return [{"node_id": f"n{number}", "transport": "local", **parts} for number in range(count)]


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def visits(folder: Path) -> dict[str, int]:
    """Which process visited, or visits, each node."""
    found = (folder / "visits").glob("[!.]*") if (folder / "visits").exists() else ()
    return {path.name: int(path.read_text()) for path in found}


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_messages_survive_the_way_and_nonsense_does_not() -> None:
    async def read(data: bytes) -> object:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await receive(reader, 100)

    assert asyncio.run(read(pack((1, "a")))) == (1, "a")
    assert asyncio.run(read(b"")) is None
    assert asyncio.run(read(pack("cut")[:-1])) is None
    with pytest.raises(ValueError, match="more than the 100"):
        asyncio.run(read(pack("x" * 200)))
    with pytest.raises(ValueError, match="no message"):
        asyncio.run(read(b"\0\0\0\4good"))


def test_several_workers_judge_as_one_process_does(tmp_path: Path) -> None:
    def judged(workers: int) -> tuple[int, dict[str, Any], dict[str, Any]]:
        state = tmp_path / f"state{workers}"
        options = ["--workers", str(workers), "--timeout", "120"]
        ran = sparkctl("health", "--fleet", lab.fleet_file, "--state", state, *options, home=tmp_path, timeout=300)
        *records, report = json_lines(ran)
        verdicts = {
            record["node_id"]: (record["status"], record["envelope"] and record["envelope"]["data"]["rollup"])
            for record in records
        }
        return ran.returncode, verdicts, report

    with running_lab(tmp_path / "lab", 4, ["founders", "full-disk", "down"]) as lab:
        code, alone, _ = judged(1)
        with_workers, pooled, report = judged(2)
    assert (with_workers, pooled) == (code, alone)
    assert (len(pooled), report["selected"]) == (4, 4)
    assert report["reported"] + report["unreported"] == 4


def test_limits_hold_across_workers(tmp_path: Path) -> None:
    program = counting_program(tmp_path).decode()
    with ended(start(tmp_path, local(8, rack="a1"), program, count=3, concurrency=6, rack=2)) as process:
        found, _ = outcomes(process)
    assert len(found) == 8
    assert most_at_once(tmp_path) == 2
    assert len(set(visits(tmp_path).values())) > 1


def test_a_stopped_run_accounts_for_everybody(tmp_path: Path) -> None:
    nodes = local(7)
    with ended(start(tmp_path, nodes, "import time; time.sleep(60)", concurrency=4, stop_s=1.5)) as process:
        found, cost = outcomes(process)
    assert sorted(each["status"] for each in found.values()) == ["run.run_deadline"] * 4 + ["schedule.run_deadline"] * 3
    assert all("the time was over before" in each["message"] for each in found.values())
    assert cost["cpu_s"] > 0
    assert cost["peak_rss_bytes"] > 2 * 10_000_000


def test_a_killed_worker_takes_only_its_own_nodes_with_it(tmp_path: Path) -> None:
    program = UNTIL_GO.format(path=str(tmp_path / "go"))
    with ended(start(tmp_path, local(9), program, concurrency=4)) as process:
        until(lambda: len(visits(tmp_path)) == 4)
        before = visits(tmp_path)
        killed = before["n0"]
        os.kill(killed, signal.SIGKILL)
        until(lambda: gone(killed))
        (tmp_path / "go").touch()
        found, _ = outcomes(process)
    lost = {name for name, each in found.items() if each["status"] == "connect.internal"}
    assert lost == {name for name, pid in before.items() if pid == killed}
    assert len(found) == 9
    for name in lost:
        assert f"worker process {killed} was killed by SIGKILL" in found[name]["message"]
        assert "dmesg" in found[name]["hint"]
    after = visits(tmp_path)
    assert len(after) == 9
    assert {after[name] for name in after.keys() - before.keys()} == set(before.values()) - {killed}


def test_without_a_worker_left_everybody_is_still_named(tmp_path: Path) -> None:
    with ended(start(tmp_path, local(6), "import time; time.sleep(5)", concurrency=2)) as process:
        until(lambda: len(visits(tmp_path)) == 2)
        for pid in set(visits(tmp_path).values()):
            os.kill(pid, signal.SIGKILL)
        found, _ = outcomes(process)
    statuses = sorted(each["status"] for each in found.values())
    assert len(statuses) == 6
    assert set(statuses) == {"connect.internal", "schedule.internal"}
    last = [each for each in found.values() if each["status"] == "schedule.internal"]
    assert all("was killed by SIGKILL, the last one, before this node" in each["message"] for each in last)


def test_a_worker_that_sends_nonsense_is_ended(tmp_path: Path) -> None:
    with ended(start(tmp_path, local(4), "", concurrency=1, babbler="n1")) as process:
        found, _ = outcomes(process)
    assert [name for name, each in found.items() if each["status"].endswith(".internal")] == ["n1"]
    assert "was killed, since it sent something that is no message" in found["n1"]["message"]
    assert len(found) == 4


def test_a_worker_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    task = {"concurrency": 2, "stop_s": 3.0, "patience_s": 0.5}
    with ended(start(tmp_path, local(2), "import time; time.sleep(60)", **task)) as process:
        until(lambda: len(visits(tmp_path)) == 2)
        os.kill(visits(tmp_path)["n0"], signal.SIGSTOP)
        found, _ = outcomes(process)
    assert (found["n0"]["status"], found["n1"]["status"]) == ("connect.internal", "run.run_deadline")
    assert "did not stop within 0.5 s" in found["n0"]["message"]


def test_what_is_shared_stays_in_one_worker(tmp_path: Path) -> None:
    ways: dict[str, dict[str, Any]] = {
        "one": {"jump": ["gate"]},
        "long": {"jump": ["gate", "inner"]},
        "other": {"jump": ["gate2"]},
        "new": {"host_key_policy": "accept-new"},
    }
    nodes = [{"node_id": f"{name}{number}", "ssh": ssh} for number in range(3) for name, ssh in ways.items()]
    with ended(start(tmp_path, nodes, "import time; time.sleep(0.2)", count=4, concurrency=8)) as process:
        outcomes(process)
    seen = visits(tmp_path)
    homes = {name: {seen[f"{name}{number}"] for number in range(3)} for name in ways}
    assert all(len(pids) == 1 for pids in homes.values()), homes
    assert homes["one"] == homes["long"]
    assert len(homes["one"] | homes["other"] | homes["new"]) == 3


@pytest.fixture
def stuck_site(tmp_path: Path) -> Iterator[Path]:
    """Four nodes that never answer."""
    with Sshd(tmp_path, addresses=STUCK, force_command="sleep 600") as server:
        pins = tmp_path / "pins"
        pins.write_text("".join(server.known_hosts_line(host) for host in STUCK))
        ssh = {
            "port": server.port, "user": server.user, "agent": False,
            "identity_files": [str(server.user_key)], "known_hosts_files": [str(pins)],
        }  # fmt: skip
        fleet = {"defaults": {"ssh": ssh}, "nodes": {f"stuck-{host}": {"ssh": {"host": host}} for host in STUCK}}
        (tmp_path / "fleet.yaml").write_text(json.dumps(fleet))
        yield tmp_path


def sweep_of(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sparkctl", "health", "--workers", "2", "--state", "state"], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**environment(folder), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def until_workers_visit(sweep: subprocess.Popen[str]) -> list[int]:
    """The worker processes, once each has a connection."""

    def connected(pid: int) -> bool:
        try:
            links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
        except FileNotFoundError:  # closed since it was listed
            return False
        return sum(link.startswith("socket:") for link in links) >= 5  # to the parent, two of the loop, two visits

    until(lambda: len(children(sweep.pid)) == 2 and all(map(connected, children(sweep.pid))))
    return children(sweep.pid)


def test_ctrl_c_in_the_terminal_ends_a_sweep_in_good_order(stuck_site: Path) -> None:
    with ended(sweep_of(stuck_site)) as sweep:
        pids = until_workers_visit(sweep)
        os.killpg(sweep.pid, signal.SIGINT)
        printed, errors = sweep.communicate(timeout=60)
    *records, report = [json.loads(line) for line in printed.splitlines()]
    assert errors == ""
    assert {record["status"].split(".")[1] for record in records} == {"interrupted"}
    assert (report["selected"], report["unreported"], report["interrupted"]) == (4, 4, True)
    assert all(map(gone, pids))


def test_workers_do_not_outlive_a_killed_parent_nor_hold_its_lock(stuck_site: Path) -> None:
    with ended(sweep_of(stuck_site)) as sweep:
        pids = until_workers_visit(sweep)
        held = [os.readlink(path) for pid in pids for path in Path(f"/proc/{pid}/fd").iterdir()]
        assert not [name for name in held if str(stuck_site) in name]
        sweep.kill()
        sweep.wait()
        with SweepLock(stuck_site / "state", ["test"]):
            pass
        until(lambda: all(map(gone, pids)))
