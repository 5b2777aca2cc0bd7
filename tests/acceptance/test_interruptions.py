"""Stopped, killed, contended: nothing that was seen is lost, and everybody is accounted for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from tests.support.command import environment, json_lines, sparkctl
from tests.support.sshd import Sshd, fingerprint, make_key, public_key

pytestmark = pytest.mark.slow
QUICK, STUCK = ("127.0.0.1", "127.0.0.2"), ("127.0.0.3", "127.0.0.4", "127.0.0.5")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """Two nodes that answer and three that never do, and the inventory of them."""
    stuck = [line for address in STUCK for line in (f"Match LocalAddress {address}", "ForceCommand sleep 600")]
    path = f"SetEnv PATH={tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment(tmp_path)
    with Sshd(tmp_path, addresses=[*QUICK, *STUCK], extra=[path, *stuck]) as server:
        (tmp_path / "pins").write_text("".join(server.known_hosts_line(host) for host in server.addresses))
        (tmp_path / "fingerprint").write_text(fingerprint(server.host_key))
        write_fleet(tmp_path, server, pins=[str(tmp_path / "pins")])
        yield tmp_path


def write_fleet(folder: Path, server: Sshd, pins: list[str]) -> None:
    fleet: dict[str, Any] = {
        "defaults": {
            "ssh": {
                "port": server.port,
                "user": server.user,
                "identity_files": [str(server.user_key)],
                "known_hosts_files": pins,
                "agent": False,
            }
        },
        "nodes": {
            f"{kind}-{number}": {"ssh": {"host": host}}
            for kind, hosts in (("quick", QUICK), ("stuck", STUCK))
            for number, host in enumerate(hosts, 1)
        },
    }
    (folder / "fleet.yaml").write_text(json.dumps(fleet))


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A sweep in the background, with its output as JSON lines."""
    return subprocess.Popen(
        [sys.executable, "-m", "sparkctl", "health", *arguments, "--state", str(folder / "state")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env={**environment(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def lines_until_the_quick_are_done(sweep: subprocess.Popen[str]) -> list[str]:
    assert sweep.stdout is not None
    return [sweep.stdout.readline() for _ in QUICK]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done_and_names_what_is_not(site: Path, number: int) -> None:
    sweep = start(site, "--concurrency", "4")
    first = lines_until_the_quick_are_done(sweep)
    sweep.send_signal(number)
    rest, errors = sweep.communicate(timeout=60)
    assert sweep.returncode in (1, 3), errors
    text = "".join(first) + rest
    assert list(complaints(text.encode())) == []
    *records, report = [json.loads(line) for line in text.splitlines()]
    assert report["interrupted"] is True
    assert (report["selected"], report["reported"], report["unreported"]) == (5, 2, 3)
    lost = {record["node_id"]: record["status"] for record in records if record["outcome"] == "unreported"}
    assert set(lost) == {"stuck-1", "stuck-2", "stuck-3"}
    assert set(lost.values()) <= {"run.interrupted", "schedule.interrupted", "connect.interrupted"}
    assert "Traceback" not in errors
    past = json_lines(sparkctl("history", "stuck-1", "--state", site / "state", home=site))
    assert past[0]["visit"]["cause"] == "interrupted"


def test_a_killed_sweep_loses_nothing_it_had_shown(site: Path) -> None:
    sweep = start(site)
    first = lines_until_the_quick_are_done(sweep)
    sweep.kill()
    sweep.communicate(timeout=60)
    shown = {json.loads(line)["node_id"] for line in first}
    assert shown == {"quick-1", "quick-2"}
    for node in shown:
        past = json_lines(sparkctl("history", node, "--state", site / "state", home=site))
        assert past[0]["visit"]["outcome"] == "reported"
    resumed = sparkctl("health", "--resume", "last", "--timeout", "3", "--state", site / "state", home=site)
    *records, report = json_lines(resumed)
    assert {record["node_id"] for record in records} == {"stuck-1", "stuck-2", "stuck-3"}
    assert (report["selected"], report["reported"]) == (5, 2)


def test_the_second_sweep_says_who_holds_the_lock(site: Path) -> None:
    sweep = start(site)
    lines_until_the_quick_are_done(sweep)
    second = sparkctl("health", "--state", site / "state", home=site)
    sweep.send_signal(signal.SIGINT)
    sweep.communicate(timeout=60)
    assert second.returncode == 75
    assert f"process {sweep.pid}" in second.stderr
    assert second.stdout == ""


@pytest.mark.thorough  # test_lab_sweep has nodes that hang, with a healthy one among them
def test_stuck_nodes_cost_the_deadline_and_the_others_do_not_notice(site: Path) -> None:
    ran = sparkctl("health", "--timeout", "15", "--state", site / "state", home=site)
    *records, report = json_lines(ran)
    assert report["unreported"] == 3
    assert {record["status"] for record in records if record["node_id"].startswith("stuck")} == {"run.timeout"}
    assert {record["status"] for record in records if record["node_id"].startswith("quick")} == {"ok"}


def test_the_deadline_of_a_sweep_names_whoever_is_left(site: Path) -> None:
    ran = sparkctl(
        "health", "stuck-[1-3]", "--deadline", "3", "--concurrency", "2", "--state", site / "state", home=site
    )
    *records, report = json_lines(ran)
    assert (report["selected"], report["reported"], report["interrupted"]) == (3, 0, True)
    lost = {record["status"].split(".")[1] for record in records if record["outcome"] == "unreported"}
    assert lost == {"run_deadline"}
    told = [record["failure"]["message"] for record in records if record["failure"]]
    assert all(words.startswith("the run's deadline of 3 s passed before ") for words in told)


def test_pinning_by_fingerprint(site: Path) -> None:
    fleet = json.loads((site / "fleet.yaml").read_text())
    fleet["defaults"]["ssh"]["known_hosts_files"] = []
    (site / "fleet.yaml").write_text(json.dumps(fleet))
    state: list[str | Path] = ["--state", site / "state"]
    unknown = sparkctl("health", "quick-1", *state, home=site)
    assert unknown.returncode == 4
    assert json_lines(unknown)[0]["status"] == "host_key.host_key_unknown"
    wrong = sparkctl("inventory", "pin", "quick-1", "--fingerprint", "SHA256:wrong", *state, home=site)
    assert wrong.returncode == 4
    assert "pin nothing until you know" in wrong.stderr
    good = (site / "fingerprint").read_text()
    right = sparkctl("inventory", "pin", "quick-1", "--fingerprint", good, *state, home=site)
    assert right.returncode == 0, right.stderr
    assert good in right.stdout
    assert (os.stat(site / "state" / "known_hosts").st_mode & 0o777) == 0o600
    assert json_lines(sparkctl("health", "quick-1", *state, home=site))[0]["status"] == "ok"
    again = sparkctl("inventory", "pin", "quick-1", "--yes", *state, home=site)
    assert json_lines(again)[0]["pinned"] is True
    still_wrong = sparkctl("inventory", "pin", "quick-1", "--fingerprint", "SHA256:wrong", *state, home=site)
    assert still_wrong.returncode == 4


def test_a_pinned_key_is_not_replaced_and_a_dead_node_does_not_end_the_command(site: Path) -> None:
    fleet = json.loads((site / "fleet.yaml").read_text())
    other = make_key(site / "other")
    port = fleet["defaults"]["ssh"]["port"]
    (site / "pins").write_text(f"[127.0.0.1]:{port} {public_key(other)}\n")
    fleet["nodes"]["dead"] = {"ssh": {"host": "127.0.0.9"}}
    (site / "fleet.yaml").write_text(json.dumps(fleet))
    state: list[str | Path] = ["--state", site / "state"]
    replaced = sparkctl("inventory", "pin", "quick-1", "--yes", *state, home=site)
    assert replaced.returncode == 4
    assert "first remove the old line" in replaced.stderr
    several = sparkctl("inventory", "pin", "dead", "quick-2", "--yes", *state, home=site)
    assert several.returncode == 3
    assert [(line["node"], line["pinned"]) for line in json_lines(several)] == [("dead", False), ("quick-2", True)]


def test_a_key_accepted_unseen_is_loud(site: Path) -> None:
    fleet = json.loads((site / "fleet.yaml").read_text())
    fleet["defaults"]["ssh"].update({"known_hosts_files": [], "host_key_policy": "accept-new"})
    (site / "fleet.yaml").write_text(json.dumps(fleet))
    *records, report = json_lines(sparkctl("health", "quick-1", "--state", site / "state", home=site))
    assert (site / "fingerprint").read_text() in records[0]["warnings"][0]
    assert report["warnings"][0]["node_id"] == "quick-1"
