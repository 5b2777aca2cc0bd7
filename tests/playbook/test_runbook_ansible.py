"""The Ansible play of a playbook with the real Ansible: it is valid, and it stops where the playbook would."""

import os
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.app.playbook_shelf import playbook_named
from sparkctl.app.playbook_site import Site
from sparkctl.model.playbook import Budget, OnFailure, Playbook, WaveRule
from sparkctl.report.runbooks import KINDS
from sparkctl.resources import shipped
from tests.support.runbooks import EVIL, hostile, playbook, rich, step

pytestmark = pytest.mark.slow
TOOLS = Path(sys.executable).parent
SHIPPED = sorted(f"{path.parent.name}/{path.stem}" for path in shipped("playbooks").glob("*/*.yaml"))


def _written(folder: Path, made: Playbook, *words: str) -> list[str]:
    play = folder / "play.yaml"
    play.write_text(KINDS["ansible"](made, 1), "utf-8")
    return ["ansible-playbook", *words, str(play)]


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "SPARKCTL_FLEET": str(folder / "fleet.yaml"),
        "SPARKCTL_STATE": str(folder / "state"),
    }


def ansible(folder: Path, made: Playbook, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ansible-playbook` on the play, on nodes of this machine, without a terminal."""
    return _run(_written(folder, made, *words), folder)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def ansible_at_a_terminal(folder: Path, made: Playbook, answers: list[str], *words: str) -> str:
    """The same at a terminal, at which every question is answered; returns what stood there."""
    told = ""
    command = shlex.join(_written(folder, made, *words))
    environment = _environment(folder) | {"TERM": "dumb", "COLUMNS": "250"}
    terminal = ["timeout", "240", "script", "--quiet", "--return", "--command", command, "/dev/null"]
    with subprocess.Popen(
        terminal, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        while True:
            ready, _, _ = select.select([running.stdout], [], [], 1)
            if ready:
                piece = os.read(running.stdout.fileno(), 65536)
                if not piece:
                    break
                told += piece.decode("utf-8", "replace")
            elif answers and told.rstrip().endswith("[yes to go on]:"):  # it is quiet: whoever is asked may answer
                os.write(running.stdin.fileno(), f"{answers.pop(0)}\r".encode())
    return told


def on(*nodes: str) -> list[str]:
    python = f"ansible_python_interpreter={sys.executable}"
    return ["-i", f"{','.join(nodes)},", "-c", "local", "-e", python, "-e", "sparkctl_hosts=all"]


def tasks(output: str) -> dict[str, list[str]]:
    """The nodes on which each task was begun, by its step."""
    found: dict[str, list[str]] = {}
    step_id = ""
    for line in output.splitlines():
        if begun := re.match(r"TASK \[(.+?)\] \*", line):
            step_id = begun[1].partition(":")[0]
        elif done := re.match(r"(ok|changed|fatal|skipping): \[(\w+)", line):
            found.setdefault(step_id, []).append(f"{done[2]}{'!' if done[1] == 'fatal' else ''}")
    return found


def test_ansible_takes_every_play(tmp_path: Path) -> None:
    made = {**{name: playbook_named(name, Site()) for name in SHIPPED}, "rich": rich(), "hostile": hostile()}
    plays = {name: tmp_path / f"{name.replace('/', '-')}.yaml" for name in made}
    for name, path in plays.items():
        path.write_text(KINDS["ansible"](made[name], 1), "utf-8")
    words = ["ansible-playbook", *map(str, plays.values())]
    checked = _run([*words, "--syntax-check"], tmp_path)
    assert checked.returncode == 0, checked.stderr
    listed = _run([*words, "--list-tasks", *on("n1")], tmp_path)
    assert listed.returncode == 0, listed.stderr
    said = dict(re.findall(r"^playbook: (.+)\n((?s:.+?))(?=^playbook: |\Z)", listed.stdout, re.MULTILINE))
    for name, one in made.items():
        plain = [step.id for step in one.steps if not step.always or step is one.steps[0]]  # no `always` part is listed
        assert [step for step in plain if f"{step}: " not in said[str(plays[name])]] == [], name


def test_a_play_without_named_nodes_does_nothing(tmp_path: Path) -> None:
    ran = ansible(tmp_path, playbook(), "-i", "n1,", "-c", "local")
    assert "no hosts matched" in ran.stdout
    assert "TASK" not in ran.stdout


def test_nothing_is_done_in_check_mode(tmp_path: Path) -> None:
    ran = ansible(tmp_path, playbook_named("monitoring/round", Site()), "--check", *on("n1", "n2"))
    assert ran.returncode == 0, ran.stderr
    assert tasks(ran.stdout)["drift"] == ["n1", "n2"]
    assert not (tmp_path / "state").exists()


def test_no_word_of_a_file_is_evaluated(tmp_path: Path) -> None:
    made = playbook(*(one for one in hostile().steps if one.do == "ask"), title=EVIL, parameters=hostile().parameters)
    ran = ansible(tmp_path, made, *on("n1"))
    assert f"PLAY [maintenance/made: {EVIL}]" in ran.stdout
    assert f"TASK [ask: {EVIL}]" in ran.stdout
    assert "49" not in ran.stdout
    assert ran.returncode == 2  # nobody was there to answer, and nothing goes on
    assert tasks(ran.stdout) == {"The budget is not used up": ["n1"], "Count the nodes that have failed so far": ["n1"],
                                 "ask": ["n1", "n1!"]}  # fmt: skip


def test_a_person_at_a_terminal_answers_for_a_wave(tmp_path: Path) -> None:
    made = playbook(
        step("light", "ask", options={"question": EVIL}), step("settle", "wait", options={"seconds": 1}),
        waves=WaveRule(sizes=["2"]),
    )  # fmt: skip
    told = ansible_at_a_terminal(tmp_path, made, ["yes", "no"], *on("n1", "n2", "n3"))
    assert f"{EVIL} (n1, n2) [yes to go on]:" in told
    assert f"{EVIL} (n3) [yes to go on]:" in told
    did = tasks(told)
    assert sorted(did["light"]) == ["n1", "n2", "n3!"]  # whether the answer is yes, on each node of the wave
    assert did["settle"] == ["n1"]


FLEET = """nodes:
  n1: {transport: local}
  n4: {transport: local}
  n5: {transport: local}
"""


def muting(policy: OnFailure, budget: Budget, **more: object) -> Playbook:
    """Mute alerts, which fails for n2 and n3: the inventory has no such nodes."""
    command = ["alerts", "mute", "--for", "1h", "--reason", "work"]
    return playbook(
        step("mute", "sparkctl", options={"command": command}),
        step("settle", "wait", options={"seconds": 1}),
        step("past", "sparkctl", options={"command": command}, always=True),
        waves=WaveRule(sizes=["2"]),
        budget=budget,
        on_failure=policy,
        **more,
    )


def test_waves_end_when_the_budget_of_the_run_is_used_up(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    nodes = on("n1", "n2", "n3", "n4", "n5")
    ran = ansible(tmp_path, muting(OnFailure.STOP_NEW, Budget(wave=1, total=1)), *nodes)
    assert ran.returncode == 2
    did = tasks(ran.stdout)
    assert sorted(did["mute"]) == ["n1", "n2!", "n3!", "n4"]
    assert sorted(did["past"]) == ["n1", "n2!", "n3!", "n4"]  # it is done even where an earlier step failed
    assert sorted(did["The budget is not used up"]) == ["n1", "n2", "n3", "n4", "n5!"]
    assert "2 nodes have not come out well: no further wave begins" in ran.stdout


def test_nothing_more_begins_when_no_node_may_fail(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    ran = ansible(tmp_path, muting(OnFailure.HOLD, Budget(wave=0, total=0)), *on("n1", "n2", "n4", "n5"))
    assert ran.returncode == 2
    did = tasks(ran.stdout)
    assert sorted(did["mute"]) == ["n1", "n2!"]
    assert "settle" not in did
    assert sorted(did["past"]) == ["n1", "n2!"]


def test_a_required_parameter_is_asked_for(tmp_path: Path) -> None:
    ran = ansible(tmp_path, rich(), *on("n1"))
    assert ran.returncode == 2
    assert "spark_packages is defined" in ran.stdout
    assert list(tasks(ran.stdout)) == ["Every parameter that is required has a value"]
