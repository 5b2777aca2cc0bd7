"""Runs in a store become alerts: once, in their order, whatever ended in between."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app import alerting
from sparkctl.app.alert_desk import acknowledge_alerts, list_alerts, show_alert
from sparkctl.app.alert_digest import digest
from sparkctl.app.alerting import Entering
from sparkctl.inventory.load import load_fleet
from sparkctl.model.alert import AlertState
from sparkctl.model.alert_book import Advance, Book
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.alerts.shelves import SILENT, Shelf, at
from tests.support.envelopes import finding, reported
from tests.support.facts import facet
from tests.support.resets import boot, reset_record, transition

DRIVERS = [f"5{number}.95.05" for number in (70, 80, 90)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, "n[1-9]")


def driver(version: str, **parts: object) -> dict[str, object]:
    return {"drivers": facet({"nvidia": {"loaded": True, "version": version, **parts}})}


def test_a_failed_check_and_its_end(shelf: Shelf) -> None:
    shelf.health(n1={"disk_space": "fail"}, n2={"disk_space": "pass"})
    assert shelf.told() == [("opened", ["n1"], "disk.space")]
    shelf.health(1, n1={"disk_space": "fail"}, n2={"disk_space": "pass"})
    shelf.health(2, n1=SILENT)
    assert shelf.told() == []
    (alert,) = list_alerts(shelf.desk, None, [AlertState.OPEN], None, at(3)).alerts
    assert (alert.last_seen, alert.unseen) == (at(1), ["n1"])
    shelf.health(3, n1={"disk_space": "pass"})
    assert shelf.told() == [("resolved", ["n1"], "disk.space")]


def test_a_shared_alert_is_as_bad_as_its_nodes_are_now(shelf: Shelf) -> None:
    said = []
    for hour, status in enumerate(["fail", "warn", "fail"]):
        shelf.health(hour, **{node: {"disk_space": status} for node in ("n1", "n2", "n3")})
        told = [event for event, _, _ in shelf.told()]
        (alert,) = list_alerts(shelf.desk, None, [AlertState.OPEN], None, at(9)).alerts
        said.append((told, alert.severity.value, alert.summary.split(" (")[0]))
    assert said == [
        (["opened"], "fail", "disk.space says fail"),
        ([], "warn", "disk.space says warn"),
        (["worsened"], "fail", "disk.space says fail"),
    ]


def test_a_run_that_alerts_were_not_told_of_is_caught_up_with(shelf: Shelf) -> None:
    """As after a kill between the two."""
    first = shelf.health(n1={"disk_space": "fail"})
    shelf.health(1, n1={"disk_space": "pass"})
    changes = shelf.update().changes
    assert [(change.event.value, change.run_id) for change in changes] == [("opened", first), ("resolved", "run2")]
    assert shelf.told() == []


def test_a_run_that_was_killed_tells_what_it_saw(shelf: Shelf) -> None:
    records = [reported("n1", finding("disk.space", "fail")), reported("n2")]
    shelf.store(RunKind.HEALTH, 0, records, ends=False)
    assert shelf.told() == [("opened", ["n1"], "disk.space")]


def test_a_run_that_is_taken_up_tells_nothing_twice(shelf: Shelf) -> None:
    earlier = shelf.store(RunKind.HEALTH, 0, [reported("n1", finding("disk.space", "warn"))], ends=False)
    shelf.store(RunKind.HEALTH, 1, [reported("n2")], resumes=earlier)
    assert shelf.told() == []  # a warning is held down for two visits, and there was one
    shelf.health(2, n1={"disk_space": "warn"})
    assert shelf.told() == [("opened", ["n1"], "disk.space")]


def test_two_that_enter_one_run_tell_it_once(shelf: Shelf) -> None:
    run = shelf.health(n1={"disk_space": "fail"})
    told: list[int] = []

    def enter() -> None:
        with Store.open(shelf.state, create=False) as store:
            told.append(len(Entering(store, load_fleet(shelf.folder / "fleet.yaml"), AlertRules()).enter(run)))

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [0, 0, 0, 1]


def test_an_end_in_the_middle_leaves_the_book_as_it_was(shelf: Shelf) -> None:
    run = shelf.health(n1={"disk_space": "fail"})

    def killed(book: Book) -> Advance:
        raise KeyboardInterrupt

    with Store.open(shelf.state) as store, pytest.raises(KeyboardInterrupt):
        store.alerts.enter(run, [], killed)
    assert shelf.told() == [("opened", ["n1"], "disk.space")]


def test_only_so_many_runs_are_caught_up_with_and_the_rest_is_said(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "MOST_RUNS", 2)
    for hour in range(4):
        shelf.health(hour, n1={"disk_space": "fail" if hour == 0 else "pass"})
    news = shelf.update()
    assert news.changes == []
    assert news.troubles == ["2 older runs are not told of: alerts catch up with 2 at most"]
    assert shelf.update().troubles == []


def test_rules_that_cannot_be_read_lose_nothing(shelf: Shelf) -> None:
    shelf.rules("version: 1\nholds: {}\n")
    shelf.health(n1={"disk_space": "fail"})
    news = shelf.update()
    assert news.changes == []
    assert "alerts.yaml:2: holds: unknown key 'holds'" in news.troubles[0]
    shelf.rules("version: 1\n")
    assert shelf.told() == [("opened", ["n1"], "disk.space")]


def test_a_required_check_that_turned_unknown_is_told_and_leaves_its_alert_open(shelf: Shelf) -> None:
    optional = finding("gpu.ecc", "unknown", required=False)
    for hour in range(2):
        shelf.store(RunKind.HEALTH, hour, [reported("n1", finding("disk.space", "fail"), optional)])
    assert shelf.told() == [("opened", ["n1"], "disk.space")]
    for hour in range(2, 4):
        shelf.health(hour, n1={"disk_space": "unknown"})
    assert shelf.told() == [("opened", ["n1"], "disk.space")]
    listed = list_alerts(shelf.desk, None, [], None, at(4)).alerts
    assert [(alert.kind.value, alert.unseen) for alert in listed] == [("check", ["n1"]), ("unknown", [])]


def test_a_rack_goes_silent_in_one_sweep(tmp_path: Path) -> None:
    rack = {f"n{number:02d}": SILENT for number in range(1, 37)}
    well = {node: {"disk_space": "pass"} for node in rack}
    shelf = Shelf(tmp_path, "n[01-36]")
    shelf.sweep(0, well)
    shelf.sweep(1, rack)
    shelf.sweep(2, rack)
    assert shelf.told() == [("opened", list(rack), "rack a1 is silent")]
    shelf.sweep(3, well)
    assert shelf.told() == [("resolved", list(rack), "rack a1 is silent")]


def test_a_refusal_is_told_at_once_and_stays_until_the_node_answers(shelf: Shelf) -> None:
    shelf.health(n1=(Stage.HOST_KEY, Cause.HOST_KEY_CHANGED), n2={"disk_space": "pass"})
    assert shelf.told() == [("opened", ["n1"], "host_key.host_key_changed")]
    shelf.health(1, n1=SILENT)
    assert shelf.told() == []
    shelf.health(2, n1={"disk_space": "pass"})
    assert shelf.told() == [("resolved", ["n1"], "host_key.host_key_changed")]


def test_what_one_program_failed_at_another_does_not_mend(shelf: Shelf) -> None:
    broken = (Stage.DECODE, Cause.NOT_JSON)
    for hour in range(2):
        shelf.health(hour, n1=broken)
    assert shelf.told() == [("opened", ["n1"], "decode.not_json")]
    shelf.collect(2, {"n1": driver(DRIVERS[0])})
    assert shelf.told() == []
    shelf.health(3, n1={"disk_space": "pass"})
    assert shelf.told() == [("resolved", ["n1"], "decode.not_json")]


def test_nodes_that_the_run_did_not_come_to_say_nothing(shelf: Shelf) -> None:
    for hour in range(3):
        shelf.health(hour, n1=(Stage.SCHEDULE, Cause.INTERRUPTED), n2=(Stage.CONNECT, Cause.RUN_DEADLINE))
    assert shelf.told() == []


def test_a_night_of_driver_updates(tmp_path: Path) -> None:
    nodes = [f"n{number:03d}" for number in range(60)]
    shelf, halves = Shelf(tmp_path, "n[000-059]"), (nodes[:30], nodes[30:])
    shelf.collect(0, {node: driver(DRIVERS[0]) for node in nodes})
    assert shelf.told() == []  # what is seen first was never otherwise
    for hour, half in enumerate(halves, 1):
        shelf.collect(hour, {node: driver(DRIVERS[1]) for node in half})
    words = f"drivers.nvidia.version: {DRIVERS[0]} → {DRIVERS[1]}"
    assert shelf.told() == [("opened", halves[0], words), ("grew", halves[1], words)]
    shelf.collect(3, {node: driver(DRIVERS[0] if node == nodes[0] else DRIVERS[1]) for node in nodes})
    assert shelf.told() == []  # one went back, which is no change of its own
    (alert,) = list_alerts(shelf.desk, None, [], None, at(4)).alerts
    assert alert.nodes == nodes[1:]


def test_a_change_that_the_baseline_expects_is_none(shelf: Shelf) -> None:
    shelf.collect(0, {"n1": driver(DRIVERS[0])})
    (shelf.state / "baseline.yaml").write_text(
        "schema: sparkctl.baseline/1\nmade_at: 2026-11-25T00:00:00Z\nmade_from: n1\n"
        f"facets: {{drivers: {{nvidia: {{version: '{DRIVERS[1]}'}}}}}}\nignore: []\n"
    )
    shelf.collect(1, {"n1": driver(DRIVERS[1])})
    assert shelf.told() == []
    shelf.collect(2, {"n1": driver(DRIVERS[2])})
    assert [event for event, _, _ in shelf.told()] == ["opened"]
    shelf.collect(3, {"n1": driver(DRIVERS[1])})
    assert [event for event, _, _ in shelf.told()] == ["resolved"]


def test_a_field_that_nobody_watches_may_change(shelf: Shelf) -> None:
    for hour, path in enumerate("abc"):
        shelf.collect(hour, {"n1": driver(DRIVERS[0], running_kernel_module=f"/{path}")})
    assert shelf.told() == []


def test_the_end_of_a_boot_that_nobody_wanted_is_told_once(shelf: Shelf) -> None:
    end = transition(termination="disorderly.panic", expected="no")
    for hour in range(3):
        shelf.store(RunKind.RESET, hour, [reset_record("n1", end), reset_record("n2", transition(termination="any"))])
    (told,) = shelf.told()
    assert told[:2] == ("opened", ["n1"])
    later = transition(termination="disorderly.panic", expected="no", from_boot_id=boot(7))
    shelf.store(RunKind.RESET, 3, [reset_record("n1", later)])
    assert [event for event, _, _ in shelf.told()] == ["opened"]


def test_a_window_mutes_and_what_is_still_there_is_told_when_it_has_ended(shelf: Shelf) -> None:
    shelf.rules(
        "version: 1\nwindows:\n  night: {selector: n1, at: '13:00', days: [wed], for: 2h, reason: patching}\n"
        "  gone: {selector: rack=zz, at: '00:00', for: 7d, reason: nobody}\n"
    )
    shelf.health(1.5, n1={"disk_space": "fail"}, n2={"disk_space": "fail"})  # NOON is a Wednesday
    news = shelf.update()
    assert [change.nodes for change in news.changes] == [["n2"]]
    assert "the window gone mutes nobody" in news.troubles[0]
    summed = digest(shelf.desk, timedelta(hours=24), at(1.6))
    assert [alert.nodes for alert in summed.muted] == [["n1"]]
    assert [alert.nodes for alert in summed.new] == [["n2"]]
    shelf.health(3.1, n2={"disk_space": "fail"})
    assert [change.nodes for change in shelf.update().changes] == [["n1"]]


def test_flapping_and_a_clock_that_steps_back(shelf: Shelf) -> None:
    for visit in range(8):
        shelf.health(visit * 0.25, n1={"disk_space": "pass" if visit % 2 else "fail"})
    events = [event for event, _, _ in shelf.told()]
    assert events == ["opened", "resolved", "opened", "resolved", "opened", "flapping"]
    for visit in range(4):
        shelf.health(visit - 24 * 30, n1={"disk_space": "fail"})
    assert shelf.told() == []
    shelf.health(24 - 24 * 30, n1={"disk_space": "fail"})
    assert [event for event, _, _ in shelf.told()] == ["calmed"]


def test_the_history_of_an_alert_that_went_on_in_another(shelf: Shelf) -> None:
    for hour in range(1, 4):
        shelf.health(hour, **{f"n{hour}": {"disk_space": "fail"}})
    events = [event for event, _, _ in shelf.told()]
    assert sorted(events) == ["opened", "opened", "opened", "rolled_up", "rolled_up"]
    (whole,) = list_alerts(shelf.desk, None, [], None, at(4)).alerts
    assert whole.nodes == ["n1", "n2", "n3"]
    with Store.open(shelf.state, create=False) as store:
        part = next(name for name, one in store.alerts.book().conditions.items() if one.problem.node == "n1")
    history = show_alert(shelf.desk, part[:6], at(4))
    assert history.alert.fingerprint == whole.fingerprint
    assert [change.event.value for change in history.changes] == ["opened", "rolled_up", "opened"]


def test_alerts_that_ended_long_ago_are_let_go_of_and_ends_of_boots_are_not(shelf: Shelf) -> None:
    end = transition(termination="disorderly.panic", expected="no")
    shelf.store(RunKind.RESET, 0, [reset_record("n2", end)])
    shelf.health(0, n1={"disk_space": "fail"}, n3={"disk_space": "fail"})
    shelf.health(1, n1={"disk_space": "pass"})
    shelf.update()
    listed = list_alerts(shelf.desk, "n2", [], None, at(2)).alerts
    acknowledge_alerts(shelf.desk, [listed[0].fingerprint], by="ops", note=None, now=at(2))
    with SweepLock(shelf.state, ["test"]) as lock, Store.open(shelf.state) as store:
        assert store.prune(lock, at(3)).alerts == 1
        left = store.alerts.book([listed[0].fingerprint]).conditions.values()
        assert sorted(one.problem.node for one in left) == ["n2", "n3"]
        assert {node for change in store.alerts.changes() for node in change.nodes} == {"n2", "n3"}
    shelf.store(RunKind.RESET, 4, [reset_record("n2", end)])
    assert shelf.told() == []


def test_what_is_so_on_nodes_that_left_the_inventory_is_over_when_acknowledged(shelf: Shelf) -> None:
    shelf.sweep(0, {name: {"disk_space": "fail"} for name in ("n1", "n2", "n3", "n9")})
    (shared,) = shelf.update().changes
    fleet = shelf.folder / "fleet.yaml"
    fleet.write_text("nodes:\n  n[1-2]: {}\n")
    acknowledge_alerts(shelf.desk, [shared.fingerprint], by="me", note=None, now=at(1))
    assert show_alert(shelf.desk, shared.fingerprint, at(1)).alert.state is AlertState.ACKNOWLEDGED
    fleet.write_text("nodes:\n  other: {}\n")
    acknowledge_alerts(shelf.desk, [shared.fingerprint], by="me", note="sold", now=at(2))
    assert show_alert(shelf.desk, shared.fingerprint, at(2)).alert.state is AlertState.RESOLVED
