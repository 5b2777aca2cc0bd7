"""Real commands: what becomes of sinks after a run, what operators see of them, and that no secret is seen at all."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sparkctl.contract.outside import complaints
from tests.schedule.plans import GONE
from tests.sinks.events import NOON, SECRET, event, spooled
from tests.sinks.receivers import Receiver, Reply, receiver, silent_port
from tests.support.command import environment, json_lines, sparkctl

pytestmark = pytest.mark.slow


class Operator:
    """Somebody with a fleet of one node that is in no way well or ill, and sinks; all that is ever printed is kept."""

    def __init__(self, home: Path) -> None:
        self.home, self.seen, self.within = home, "", "20s"
        # What is stored and told of the node is the failure.
        (home / "fleet.yaml").write_text(GONE)
        (home / "token").touch(0o600)
        (home / "token").write_text(SECRET + "\n")

    def sinks(self, *lines: str) -> None:
        listed = "".join(f"  {line}\n" for line in lines)
        (self.home / "sinks.yaml").write_text(f"version: 1\nwithin: {self.within}\nsinks:\n{listed}")

    def hook(self, port: int, more: str = "") -> None:
        self.sinks(f"hook: {{url: 'webhook+http://127.0.0.1:{port}/', token_file: token{more}}}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        ran = sparkctl(*arguments, home=self.home, SPARKCTL_STATE=str(self.home / "state"))
        self.seen += ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    def no_secret_anywhere(self) -> None:
        assert SECRET not in self.seen
        for path in (self.home / "state").rglob("*"):
            if path.is_file():
                assert SECRET.encode() not in path.read_bytes()


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def check_events(seen: Receiver) -> None:
    for request in seen.requests:
        assert list(complaints(request.body)) == []
        assert list(complaints(json.dumps(request.json["body"]).encode())) == []


def test_a_run_is_told_and_what_was_not_taken_waits_for_another_time(operator: Operator) -> None:
    with receiver(lambda _: Reply(503, body=SECRET.encode())) as seen:
        operator.hook(seen.port)
        ran = operator.run("health")
        assert ran.returncode == 3  # the run's own code is not hidden by that of a sink
        assert "the sink hook did not take events: 503" in ran.stderr
        assert "2 events wait" in ran.stderr
        (status,) = json_lines(operator.run("sinks", "list"))
        assert (status["waiting"], status["failures_in_a_row"]) == (2, 1)
        assert list(complaints(json.dumps(status).encode())) == []
        assert operator.run("sinks", "test", "hook").returncode == 69
        seen.answer = lambda _: Reply()
        sent = operator.run("sinks", "send", "--now")
        assert (sent.returncode, sent.stdout, sent.stderr) == (0, "", "")
        tried = operator.run("sinks", "test", "hook")
        assert (tried.returncode, json_lines(tried)[0]["verdict"]) == (0, "accepted")
        assert [request.json["kind"] for request in seen.requests[2:]] == ["run", "visit", "test"]
        check_events(seen)
        again = operator.run("sinks", "replay", "--delivered", "--since", "1h")
        assert json_lines(again) == [{"replayed": 2}]
        assert operator.run("sinks", "send").returncode == 0
        assert sorted(seen.ids[2:4]) == sorted(seen.ids[5:7])
        shown = operator.run("sinks", "show", seen.ids[3][:12])
        assert [list(complaints(line.encode())) for line in shown.stdout.splitlines()] == [[], []]
        assert json_lines(shown)[1]["state"] == "delivered"
        assert "gone: it did not report" in operator.run("sinks", "show", seen.ids[3], "--format", "human").stdout
    operator.no_secret_anywhere()


def test_a_run_of_which_nothing_else_is_to_be_said_ends_with_69(operator: Operator) -> None:
    (operator.home / "fleet.yaml").write_text("nodes:\n  here: {transport: local}\n")
    with receiver(lambda _: Reply(422, body=b"no thanks")) as seen:
        operator.hook(seen.port)
        ran = operator.run("collect", "--facet", "os")
        assert ran.returncode == 69
        assert "the sink hook gave up 2: 422" in ran.stderr
        dead = json_lines(operator.run("sinks", "dead"))
        assert [(one["sink"], one["state"], one["attempts"]) for one in dead] == [("hook", "dead", 1)] * 2
        assert "no thanks" in operator.run("sinks", "dead", "--format", "human").stdout
        assert operator.run("collect", "--facet", "os", "--sinks", "none").returncode == 0
    assert len(seen.requests) == 2
    operator.no_secret_anywhere()


def test_a_sink_that_hangs_costs_a_run_no_more_than_its_time(operator: Operator) -> None:
    with silent_port() as port:
        operator.within = "2s"
        operator.hook(port, ", timeout: 300s")
        started = time.monotonic()
        ran = operator.run("health")
        assert time.monotonic() - started < 60  # and not 300
    assert ran.returncode == 3
    assert "had not taken all when time was over; 2 events wait" in ran.stderr


def test_ctrl_c_while_sinks_are_told_keeps_the_result_of_the_run(operator: Operator) -> None:
    with silent_port() as port:
        operator.hook(port, ", timeout: 300s")
        process = subprocess.Popen(
            [sys.executable, "-m", "sparkctl", "health", "--state", "state"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=operator.home,
            env={**environment(operator.home), "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert process.stdout is not None
        while "sweep-report" not in (line := process.stdout.readline()):
            assert line
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "the delivery was stopped" in said
    assert "Traceback" not in said


def test_mistakes_are_told_before_anybody_is_asked(operator: Operator) -> None:
    operator.sinks("hook: {url: 'webhook+https://h/', token: " + SECRET + "}")
    for arguments in (["health"], ["sinks", "check"]):
        ran = operator.run(*arguments)
        assert ran.returncode == 2
        assert "sinks.yaml" in ran.stderr + ran.stdout
    assert not (operator.home / "state").exists()
    operator.sinks("pipe: {url: 'stdout:'}")
    for arguments in (["sinks", "test", "nobody"], ["sinks", "show", "abc"], ["sinks", "list", "--sinks", "none"]):
        assert operator.run(*arguments).returncode == 2
    assert SECRET not in operator.seen


def test_standard_output_is_for_whoever_sends_and_not_for_a_run(operator: Operator) -> None:
    operator.sinks("pipe: {url: 'stdout:'}", "file: {url: 'file://" + str(operator.home / "events.jsonl") + "'}")
    ran = operator.run("health", "--format", "json")
    assert json.loads(ran.stdout)["report"]["selected"] == 1
    assert len((operator.home / "events.jsonl").read_text().splitlines()) == 2
    sent = operator.run("sinks", "send")
    assert [line["kind"] for line in json_lines(sent)] == ["visit", "run"]


def test_an_old_event_of_a_sink_that_is_gone_is_still_shown(operator: Operator) -> None:
    with spooled(operator.home / "state", [event(1)], "gone", at=NOON):
        operator.sinks("pipe: {url: 'stdout:'}")
        found = json_lines(operator.run("sinks", "list"))
        shown = operator.run("sinks", "list", "--format", "human").stdout
    seen = [(one["sink"], one["configured"], one["waiting"]) for one in found]
    assert seen == [("pipe", True, 0), ("gone", False, 1)]
    assert "not in the file any more" in shown
