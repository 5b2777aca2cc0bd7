"""What happened to alerts waits for sinks from the moment it is in the book."""

import json
from pathlib import Path

import pytest

from sparkctl.app.alert_desk import acknowledge_alerts, list_alerts
from sparkctl.contract.outside import complaints
from sparkctl.model.alert import AlertState
from sparkctl.model.event import Told
from sparkctl.store import Store
from tests.alerts.shelves import SILENT, Shelf, at
from tests.support.command import sparkctl

SINKS = """
version: 1
sinks:
  all: {url: "file:///tmp/never-written/all.jsonl"}
  mine: {url: "file:///tmp/never-written/mine.jsonl", only: {kinds: [alert], selector: n1}}
  loud: {url: "file:///tmp/never-written/loud.jsonl", only: {min_severity: error}}
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "sinks.yaml").write_text(SINKS)
    return Shelf(tmp_path, "n[1-9]")


def waiting(shelf: Shelf, sink: str) -> list[Told]:
    with Store.open(shelf.state) as store:
        found = [store.outbox.event(each.event_id) for each in store.outbox.deliveries(sink=sink, state="waiting")]
    return [each for each in found if each is not None]


def test_who_is_told_of_which_alert(shelf: Shelf) -> None:
    shelf.health(n1={"disk_space": "fail"}, n2={"disk_space": "pass"}, n3={"gpu_driver": "fail"})
    shelf.update()
    assert [each.summary.partition(":")[0] for each in waiting(shelf, "all")] == ["opened", "opened"]
    assert {each.node_id for each in waiting(shelf, "loud")} == {"n1", "n3"}
    (mine,) = waiting(shelf, "mine")
    assert (mine.kind, mine.severity, mine.node_id) == ("alert", "error", "n1")
    assert list(complaints(mine.json.encode())) == []
    assert json.loads(mine.body)["run_id"] == "run1"
    shelf.health(1, n1=SILENT)
    shelf.update()
    assert len(waiting(shelf, "mine")) == 1
    shelf.health(2, n1={"disk_space": "pass"})
    shelf.update()
    assert {each.severity for each in waiting(shelf, "mine")} == {"error", "info"}
    assert len(waiting(shelf, "loud")) == 2


def test_an_alert_of_many_nodes_goes_to_whom_one_of_them_matters(shelf: Shelf) -> None:
    shelf.sweep(0, {f"n{number}": {"disk_space": "fail"} for number in range(1, 8)})
    shelf.update()
    (mine,) = waiting(shelf, "mine")
    assert mine.node_id is None
    assert len(json.loads(mine.body)["nodes"]) == 7
    assert mine.summary.startswith("opened: n[1-7]: disk.space")


def test_what_is_not_in_the_outbox_is_not_in_the_book(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.health(n1={"disk_space": "fail"})
    with monkeypatch.context() as patched:
        patched.setattr("sparkctl.app.telling.of_change", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shelf.update()
    assert (waiting(shelf, "all"), list_alerts(shelf.desk, None, [AlertState.OPEN], None, at(1)).alerts) == ([], [])
    assert len(shelf.update().changes) == 1
    assert len(waiting(shelf, "all")) == 1


def test_an_acknowledgement_is_told(shelf: Shelf) -> None:
    shelf.health(n1={"disk_space": "fail"})
    (change,) = shelf.update().changes
    acknowledge_alerts(shelf.desk, [change.fingerprint], by="me", note="disk ordered", now=at(1))
    told = waiting(shelf, "mine")
    assert [json.loads(each.body)["event"] for each in told] == ["opened", "acknowledged"]
    assert json.loads(told[1].body)["note"] == "disk ordered"


def test_a_digest_is_sent_to_whom_digests_are_for(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "n[1-3]")
    out = tmp_path / "out.jsonl"
    (tmp_path / "sinks.yaml").write_text(
        f"version: 1\nsinks:\n  mail: {{url: 'file://{out}', only: {{kinds: [digest]}}}}\n"
        f"  rest: {{url: 'file://{out}.rest', only: {{kinds: [run]}}}}\n"
    )
    shelf.health(n1={"disk_space": "fail"}, n2={"disk_space": "pass"})
    shelf.update()
    common: list[str | Path] = ["--fleet", tmp_path / "fleet.yaml", "--state", shelf.state, "--since", "36500d"]
    ran = sparkctl("alerts", "digest", "--send", *common, home=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    (event,) = map(json.loads, out.read_text().splitlines())
    assert (event["kind"], event["severity"], event["body_schema"]) == ("digest", "warning", "sparkctl.alert-digest/1")
    assert "1 new; 1 of 3 nodes were not visited" in event["summary"]
    assert list(complaints(json.dumps(event).encode())) == []
    assert not (tmp_path / "out.jsonl.rest").exists()
    refused = sparkctl("alerts", "digest", "--send", "--sinks", "none", *common, home=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no sink gets digests" in refused.stderr
