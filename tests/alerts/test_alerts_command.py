"""`sparkctl alerts` as operators use it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sparkctl.cli.main import cli
from sparkctl.contract.outside import complaints
from sparkctl.errors import UsageError
from tests.alerts.shelves import SILENT, Shelf
from tests.support.command import json_lines, sparkctl


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path, "n[1-9]")
    shelf.health(n1={"disk_space": "fail"}, n2={"disk_space": "pass"}, n3={"gpu_ecc": "warn"})
    shelf.update()
    return shelf


def run(shelf: Shelf, *arguments: str, form: str = "jsonl") -> Result:
    places = ["--fleet", str(shelf.folder / "fleet.yaml"), "--state", str(shelf.state), "--format", form]
    return CliRunner().invoke(cli, ["alerts", *arguments, *places], standalone_mode=False, catch_exceptions=True)


def documents(ran: Result) -> list[dict[str, object]]:
    assert list(complaints(ran.stdout.encode())) == []  # each is what its published schema says
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_an_alert_from_its_list_to_its_end(shelf: Shelf) -> None:
    listed = run(shelf, "list")
    first, second = documents(listed)
    assert listed.return_value == 1
    assert (first["state"], first["nodes"], second["state"], second["told"]) == ("open", ["n1"], "new", False)
    name = str(first["fingerprint"])[:8]
    (change,) = documents(run(shelf, "ack", name, "--by", "ops", "--note", "disk ordered"))
    assert (change["event"], change["previous"], change["run_id"]) == ("acknowledged", "open", None)
    assert run(shelf, "list").return_value == 0
    (shown,) = documents(run(shelf, "show", name))
    assert [each["event"] for each in shown["changes"]] == ["opened", "acknowledged"]  # type: ignore[attr-defined]
    shelf.health(n1={"disk_space": "pass"})
    assert [event for event, _, _ in shelf.told()] == ["resolved"]
    assert documents(run(shelf, "list", "--only", "open")) == []
    again = run(shelf, "ack", name)
    assert isinstance(again.exception, UsageError)
    assert "is resolved" in again.exception.message


def test_a_mute_from_its_beginning_to_its_end(shelf: Shelf) -> None:
    (mute,) = documents(run(shelf, "mute", "rack=a1", "--for", "2h", "--reason", "new power supplies", "--by", "ops"))
    assert (mute["number"], len(mute["nodes"])) == (1, 9)  # type: ignore[arg-type]
    listed = run(shelf, "list", form="human")
    assert listed.return_value == 0
    assert "muted: new power supplies" in listed.stdout
    assert "#1  rack=a1 (9 nodes) until" in listed.stdout
    assert run(shelf, "unmute", "1").exception is None
    assert run(shelf, "list").return_value == 1
    ended = run(shelf, "unmute", "1").exception
    assert isinstance(ended, UsageError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "zz"], "is no fingerprint"),
        (["show", "abc"], "is no fingerprint"),
        (["show", "\x1b[31mabcd"], "is no fingerprint"),
        (["ack", "ffffffffff"], "no alert has a fingerprint that begins with ffffffffff"),
        (["list", "rack=zz"], "rack"),
        (["mute", "n1", "--for", "2h", "--reason", "a\x1b[31mb"], "--reason must be one printable line"),
        (["mute", "n1", "--for", "2h", "--reason", "x", "--by", ""], "--by must be one printable line"),
        (["check"], "there is no alerts.yaml"),
        (["list", "--rules", "/nowhere.yaml"], "/nowhere.yaml"),
    ],
)
def test_nonsense_is_one_message(shelf: Shelf, arguments: list[str], words: str) -> None:
    ran = run(shelf, *arguments)
    assert isinstance(ran.exception, UsageError), ran.exception
    assert words in ran.exception.message
    assert "\x1b" not in ran.exception.message


def test_what_was_not_told_cannot_be_acknowledged(shelf: Shelf) -> None:
    _, held = documents(run(shelf, "list"))
    refused = run(shelf, "ack", str(held["fingerprint"])).exception
    assert isinstance(refused, UsageError)
    assert "was not told yet" in refused.message


def test_screens_name_the_nodes_and_what_could_not_be_seen(shelf: Shelf) -> None:
    shelf.health(1, n1=SILENT)
    shelf.update()
    listed = run(shelf, "list", form="human").stdout
    assert "n1" in listed
    assert "not seen since 2026-11-25 12:00:00Z: the last visit could not tell" in listed
    (first, *_) = documents(run(shelf, "list", "n1", "--only", "open"))
    shown = run(shelf, "show", str(first["fingerprint"]), form="human").stdout
    assert f"fingerprint {first['fingerprint']}" in shown
    assert "opened  n1  run run1" in shown


def test_a_digest_counts_the_runs_and_names_who_was_not_visited(shelf: Shelf) -> None:
    (told,) = documents(run(shelf, "digest", "--since", "30d"))
    assert told["runs"] == [
        {"kind": "health", "runs": 1, "interrupted": 0, "asked": 3, "reported": 3},
    ]
    assert told["unvisited"] == ["n4", "n5", "n6", "n7", "n8", "n9"]
    text = run(shelf, "digest", "--since", "30d", form="human").stdout
    assert "health: 1 run, 100.0% of 3 visits reported" in text
    assert "Not visited at all: 6 nodes of 9: n[4-9]" in text
    assert "New: 1\n" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 120


def test_rules_are_checked(shelf: Shelf) -> None:
    shelf.rules("version: 1\nignore: [nothing.like.it]\n")
    assert run(shelf, "check").return_value == 1
    shelf.rules("version: 1\nhold: {warn: {visits: x}}\n")
    ran = run(shelf, "check", form="human")
    assert ran.return_value == 2
    assert "alerts.yaml:2: hold.warn.visits:" in ran.stdout


@pytest.mark.slow
def test_rules_that_are_wrong_cost_no_run_and_the_next_one_catches_up(tmp_path: Path) -> None:
    """Over this machine, whatever it is like."""
    (tmp_path / "fleet.yaml").write_text("nodes:\n  here: {transport: local}\n")
    (tmp_path / "alerts.yaml").write_text("version: 3\n")
    places: list[str | Path] = ["--fleet", tmp_path / "fleet.yaml", "--state", tmp_path / "state"]
    ran = sparkctl("health", *places, home=tmp_path)
    record, report = json_lines(ran)
    assert report["exit_code"] == ran.returncode
    assert "alerts were not updated, the next run catches up" in ran.stderr
    assert "alerts.yaml:1: version: must be 1" in ran.stderr
    (tmp_path / "alerts.yaml").write_text("version: 1\nhold: {warn: {visits: 1}, unknown: {visits: 1}}\n")
    second = sparkctl("health", *places, "--format", "human", home=tmp_path)
    assert second.stderr == ""
    listed = sparkctl("alerts", "list", *places, home=tmp_path)
    told = [alert for alert in json_lines(listed) if alert["told"]]
    pressing = [one for one in record["envelope"]["data"]["findings"]
                if one["status"] in ("warn", "fail") or (one["status"] == "unknown" and one["required"])]  # fmt: skip
    assert {alert["subject"] for alert in told} >= {one["check"] for one in pressing}
    assert {alert["run_id"] for alert in told if alert["subject"] in {one["check"] for one in pressing}} <= {
        report["run_id"]
    }
    assert listed.returncode == (1 if told else 0)
    assert ("sparkctl alerts list" in second.stdout) == bool(told)
