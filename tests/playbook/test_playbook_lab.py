"""Playbooks over a simulated fleet: planned, approved, run over SSH, broken, killed, taken up, taken back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from sparkctl.lab import control, node_state
from sparkctl.lab.state import Lab, Pace
from sparkctl.store.store import Store
from tests.support.command import environment, json_lines, sparkctl
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow

REBOOT = """\
version: 1
title: Restart
risk: disruptive
windowed: false
waves: {sizes: [100%], control: CONTROL, at_once: 10}
budget: {wave: BUDGET}
on_failure: stop-new
parameters:
  kernel: {kind: word, help: which}
steps:
  - {id: before, do: judge, within: 1m}
  - {id: restart, do: control.reboot, within: WITHIN, options: {kernel: $kernel}}
  - {id: after, do: judge, within: 1m}
"""
UPDATE = """\
version: 1
title: Update
risk: disruptive
windowed: false
waves: {sizes: [100%], at_once: 10}
budget: {wave: 0}
on_failure: rollback
parameters:
  packages: {kind: mapping, help: which, required: true}
steps:
  - {id: fence, do: control.fence-dashboard, within: 1m, undo: true}
  - {id: drain, do: control.drain, within: 1m, undo: true, options: {units: [docker.service]}}
  - {id: update, do: control.apt-upgrade, within: WITHIN, options: {packages: $packages}}
"""
ASKING = """\
version: 1
title: Ask
risk: read-only
windowed: false
waves: {sizes: [100%], at_once: 10}
budget: {wave: 0}
steps:
  - {id: ask, do: ask, within: 1d, options: {question: "Is the cable in?"}}
  - {id: after, do: wait, within: 1m, options: {seconds: 1}}
"""
GOOD_UPDATE = "packages=fwupd=2.0.21-1ubuntu1~24.04.1"


@dataclass(frozen=True)
class Desk:
    """An operator with a lab, a state folder of his own, a key, and rules by which he may approve."""

    lab: Lab
    home: Path

    def run(self, *words: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        places = self.store if words[0] in ("stop", "answer", "journal") else self.places
        ran = sparkctl("playbook", *words, *places, home=self.home, timeout=600)
        if code is not None:
            assert ran.returncode == code, f"{ran.stdout[-3000:]}\n{ran.stderr}"
        return ran

    @property
    def store(self) -> list[str]:
        fleet, state = str(self.lab.fleet_file), str(self.home / "state")
        return ["--fleet", fleet, "--state", state, "--format", "jsonl"]

    @property
    def places(self) -> list[str]:
        return [*self.store, "--site", str(self.home / "playbooks.yaml")]

    def write(self, name: str, text: str, **words: object) -> None:
        for word, value in {"CONTROL": 0, "BUDGET": 100, "WITHIN": "60s", **words}.items():
            text = text.replace(word, str(value))
        path = self.home / "own" / "maintenance" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def planned(self, name: str, *words: str, code: int = 0) -> str:
        """A plan that is approved; its run id."""
        made = json_lines(self.run("plan", name, *words, code=code))[0]
        self.run("approve", made["run_id"], "--key", self.home / "key")
        return str(made["run_id"])

    def status(self, run_id: str) -> dict[str, Any]:
        return dict(json_lines(self.run("status", run_id))[0])

    @contextmanager
    def running(self, verb: str, run_id: str) -> Iterator[subprocess.Popen[str]]:
        """`playbook run` or `resume` as a process of its own, of which each record is a line."""
        command = [sys.executable, "-m", "sparkctl", "playbook", verb, run_id, *self.places]
        env = environment(self.home) | {"PYTHONPATH": os.getcwd()}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def journal(self, run_id: str) -> list[dict[str, Any]]:
        return json_lines(sparkctl("playbook", "journal", run_id, *self.store, home=self.home))

    def boots(self, name: str) -> int:
        return len(node_state.read(self.lab.directory / "acts" / name).ended)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk with two nodes that are cabled together, or with as many as the parameter of the fixture says."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    (tmp_path / "signers").write_text(f"alice {public}\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "playbooks.yaml").write_text("version: 1\nfolder: own\nallowed_signers: signers\n")
    many = getattr(request, "param", 2)
    pace = Pace(shutdown_s=1.0)  # time for the answer of what asks for a restart
    with running_lab(tmp_path / "lab", many, ["founders"], seconds=1800, pace=pace) as lab:
        made = Desk(lab, tmp_path)
        made.write("restart", REBOOT)
        made.write("update", UPDATE)
        yield made


def nodes(number: int) -> pytest.MarkDecorator:
    """So many nodes in place of two."""
    return pytest.mark.parametrize("desk", [number], indirect=True)


def ends(entries: list[dict[str, Any]], step: str) -> dict[str, dict[str, Any]]:
    """How a step ended, by node."""
    return {
        entry["event"]["node_id"]: entry["event"]
        for entry in entries
        if entry["event"]["what"] == "ended" and entry["event"]["step"] == step
    }


@nodes(3)
def test_from_plan_to_end_with_nothing_unapproved_and_nothing_stale(desk: Desk) -> None:
    desk.write("restart", REBOOT, CONTROL=1)
    before = {node.name: desk.boots(node.name) for node in desk.lab.nodes}
    planned = desk.run("plan", "restart", "all")
    assert list(complaints(planned.stdout.encode())) == []
    plan = json_lines(planned)[0]
    assert [wave["node_ids"] for wave in plan["waves"]] == [["sim-01", "sim-02"], ["sim-03"]]
    assert plan["control"] == ["sim-03"]
    effects = {effect["step"]: effect for effect in plan["nodes"][0]["effects"]}
    assert effects["restart"]["fidelity"] == "exact"
    assert effects["restart"]["argv"] == ["/usr/bin/systemctl", "reboot"]
    _a_claim_that_came_to_nothing_lets_no_plan_begin_unapproved(desk, plan["run_id"])
    desk.run("approve", plan["run_id"], "--key", desk.home / "key")
    assert f"{plan['run_id']} is not held" in desk.run("resume", plan["run_id"], "--release", "why", code=2).stderr
    _a_plan_that_is_stale_is_refused(desk, plan["run_id"])
    assert desk.journal(plan["run_id"]) == []
    assert {node.name: desk.boots(node.name) for node in desk.lab.nodes} == before
    ran = desk.run("run", plan["run_id"])
    assert list(complaints(ran.stdout.encode())) == []
    *entries, status = json_lines(ran)
    assert entries == desk.journal(plan["run_id"])
    assert (status["standing"], status["outcome"], status["counts"]) == ("ended", "done", {"done": 3})
    for name, restart in ends(entries, "restart").items():
        assert restart["argv"] == ["/usr/bin/systemctl", "reboot"]
        assert restart["unit"] == f"sparkctl-act-{restart['act']}.service" or restart["act"] in restart["unit"]
        assert desk.boots(name) == before[name] + 1
    judged = next(entry["event"] for entry in entries if entry["event"]["what"] == "wave_judged")
    assert judged["promoted"]
    assert "held against 1 control nodes" in judged["summary"]
    again = desk.run("run", plan["run_id"], code=2)
    assert "is over" in again.stderr


def _a_claim_that_came_to_nothing_lets_no_plan_begin_unapproved(desk: Desk, run_id: str) -> None:
    now = datetime.now(UTC)
    with Store.open(desk.home / "state") as store:  # as a process does that is killed before its first record
        claim = store.journals.claim(run_id, [], "x", now=now, until=now, gone=lambda _: True)
        store.journals.let_go(claim)
    assert "needs the approval of 1 person: nobody did" in desk.run("run", run_id, code=4).stderr
    assert desk.journal(run_id) == []


def _a_plan_that_is_stale_is_refused(desk: Desk, run_id: str) -> None:
    desk.write("restart", REBOOT + "# another\n", CONTROL=1)
    assert "is not what it was when" in desk.run("run", run_id, code=4).stderr
    desk.write("restart", REBOOT, CONTROL=1)
    fleet = desk.lab.fleet_file.read_text()
    try:
        desk.lab.fleet_file.write_text(fleet.replace("serial: SIM0000000001", "serial: SIM0000000099"))
        assert "is enrolled as SIM0000000099" in desk.run("run", run_id, code=4).stderr
        desk.lab.fleet_file.write_text(fleet.replace("  state: in_service", "  state: maintenance"))
        assert "is maintenance now, and was in_service in the plan" in desk.run("run", run_id, code=4).stderr
        desk.lab.fleet_file.write_text(fleet.replace("pair-1: [sim-01, sim-02]", "pair-1: [sim-01, sim-03]"))
        assert desk.run("run", run_id, code=None).returncode in (2, 4)
    finally:
        desk.lab.fleet_file.write_text(fleet)


@nodes(5)
def test_nodes_that_do_not_come_back_as_they_should_cost_their_own_step_and_no_other(desk: Desk) -> None:
    run_id = desk.planned("restart", "all", "--set", "kernel=6.17.0-1014-nvidia")
    boots = desk.boots("sim-04")
    for name, fault in (
        ("sim-01", "reboot-other-kernel"),
        ("sim-02", "inhibited"),
        ("sim-03", "act-swaps-identity"),
        ("sim-04", "swapped"),  # before the run: it is another machine than in the plan
    ):
        control.break_node(desk.lab.directory, name, fault)
    *entries, status = json_lines(desk.run("run", run_id, code=1))
    assert status["counts"] == {"done": 1, "failed": 1, "refused": 3}
    found = {name: (end["result"], end.get("reason")) for name, end in ends(entries, "restart").items()}
    assert found.pop("sim-05")[0] == "done"
    assert found == {
        "sim-01": ("failed", "other_kernel"),
        "sim-02": ("refused", "inhibited"),
        "sim-03": ("refused", "identity_mismatch"),
    }
    assert ends(entries, "before")["sim-04"]["reason"] == "identity_mismatch"
    assert {one["event"].get("step") for one in entries if one["event"].get("node_id") == "sim-04"} == {"before"}
    assert desk.boots("sim-04") == boots


@pytest.mark.thorough
def test_nodes_that_never_return_are_waited_for_no_longer_than_their_step_may_take(desk: Desk) -> None:
    desk.write("restart", REBOOT, WITHIN="8s")
    run_id = desk.planned("restart", "sim-01,sim-02")
    for name in ("sim-01", "sim-02"):
        control.break_node(desk.lab.directory, name, "reboot-never-returns")
    *entries, status = json_lines(desk.run("run", run_id, code=3))
    assert {end["result"] for end in ends(entries, "restart").values()} == {"unreachable"}
    assert status["counts"] == {"unreachable": 2}


@nodes(3)
def test_what_was_done_is_taken_back_when_an_update_fails_but_under_no_act_that_still_goes_on(desk: Desk) -> None:
    desk.write("update", UPDATE, WITHIN="20s")
    run_id = desk.planned("update", "all", "--set", GOOD_UPDATE)
    control.break_node(desk.lab.directory, "sim-02", "apt-fails")
    control.break_node(desk.lab.directory, "sim-03", "apt-hangs")
    *entries, status = json_lines(desk.run("run", run_id, code=5))
    update = ends(entries, "update")
    assert update["sim-01"]["result"] == "done"
    assert update["sim-02"]["result"] == "failed"
    assert (update["sim-03"]["result"], update["sim-03"]["reason"]) == ("unknown", "timeout")
    assert status["standing"] == "held"
    assert status["counts"] == {"rolled_back": 2, "rollback_failed": 1}
    well = {(node, step, "done") for node in ("sim-01", "sim-02") for step in ("drain", "fence")}
    assert {one for one in undone(entries) if one[0] != "sim-03"} == well
    assert ("sim-03", "drain", "failed") in undone(entries)
    assert "another act holds the lock" in next(one["summary"] for one in status["nodes"] if one["node_id"] == "sim-03")
    commands = [
        entry["event"]["argv"]
        for entry in entries
        if entry["event"].get("undoing") and "argv" in entry["event"] and entry["event"]["node_id"] != "sim-03"
    ]
    assert commands.count(["/usr/bin/systemctl", "start", "docker.service"]) == 2
    for name in ("sim-01", "sim-02"):
        state = node_state.read(desk.lab.directory / "acts" / name)
        assert state.masked == []
        assert "docker.service" not in state.stopped
    desk.run("stop", run_id, "--why", "enough")
    assert desk.status(run_id)["standing"] == "ended"


def undone(entries: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """What was taken back: node, step, and how that ended."""
    events = [entry["event"] for entry in entries if entry["event"]["what"] == "ended"]
    return {(one["node_id"], one["step"], one["result"]) for one in events if one["undoing"]}


def until(process: subprocess.Popen[str], step: str) -> None:
    """Wait until a step is intended."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line).get("event", {})
        if event.get("what") == "intended" and event["step"] == step:
            return
    raise AssertionError(f"{step} was never intended")


@nodes(3)
def test_a_run_is_one_process_s_alone_and_goes_on_after_ctrl_c_and_after_a_kill_without_a_second_restart(
    desk: Desk,
) -> None:
    run_id = desk.planned("restart", "sim-01,sim-02")
    desk.write("asking", ASKING)
    other = json_lines(desk.run("plan", "asking", "sim-01,sim-02"))[0]["run_id"]
    before = {name: desk.boots(name) for name in ("sim-01", "sim-02")}
    with desk.running("run", run_id) as process:
        until(process, "before")
        process.send_signal(signal.SIGSTOP)  # it has the run, and does not come to its end meanwhile
        assert f"{run_id} is driven by process {process.pid}" in desk.run("resume", run_id, code=75).stderr
        assert f"is in the hands of the run {run_id}" in desk.run("run", other, code=75).stderr
        left_out = json_lines(desk.run("plan", "restart", "all", code=3))[0]["left_out"]
        assert {one["node_id"] for one in left_out} == {"sim-01", "sim-02"}
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=240)
        assert process.returncode == 3, err
    status = json.loads(out.splitlines()[-1])
    assert status["standing"] == "stopped"
    assert status["next"] == f"sparkctl playbook resume {run_id}"
    with desk.running("resume", run_id) as process:
        until(process, "restart")
        time.sleep(0.4)
        process.send_signal(signal.SIGKILL)
    *entries, status = json_lines(desk.run("resume", run_id))
    assert (status["outcome"], status["counts"]) == ("done", {"done": 2})
    assert {name: desk.boots(name) - count for name, count in before.items()} == dict.fromkeys(before, 1)
    assert any(entry["event"].get("observed_after_doubt") for entry in entries)


@nodes(4)
def test_selections_that_cannot_be_are_refused_before_any_node_is_asked(desk: Desk) -> None:
    half = desk.run("plan", "restart", "sim-01", code=2)
    assert "the selection splits the unit pair-1: sim-02 would be left out" in half.stderr
    assert "there is no playbook 'rebot'" in desk.run("plan", "rebot", "all", code=2).stderr
    control.break_node(desk.lab.directory, "sim-01", "down")
    plan = json_lines(desk.run("plan", "restart", "all", code=3))[0]
    assert [one["node_id"] for one in plan["left_out"]] == ["sim-01", "sim-02"]
    assert "is cabled to it" in plan["left_out"][1]["why"]
    nobody = desk.run("plan", "restart", "sim-01,sim-02", code=4)
    assert "no node is left for maintenance/restart" in nobody.stderr


def test_a_person_is_asked_and_answers(desk: Desk) -> None:
    desk.write("asking", ASKING)
    run_id = json_lines(desk.run("plan", "asking", "sim-01,sim-02"))[0]["run_id"]
    *_, status = json_lines(desk.run("run", run_id, code=5))
    assert status["standing"] == "asking"
    assert {node["question"] for node in status["nodes"]} == {"Is the cable in?"}
    for node in ("sim-01", "sim-02"):
        desk.run("answer", run_id, node, "done", "--why", "seen")
    again = desk.run("answer", run_id, "sim-01", "done", "--why", "seen", code=2)
    assert "asks nothing about sim-01" in again.stderr
    *_, status = json_lines(desk.run("resume", run_id))
    assert status["counts"] == {"done": 2}
