"""The engine of alerting, case by case."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sparkctl.model.alert import Acknowledgement, AlertEvent, AlertKind, AlertState
from sparkctl.model.alert_book import Place
from sparkctl.model.alert_engine import acknowledge
from sparkctl.model.alert_rules import AlertRules, Flapping, Hold, HoldRule
from tests.alerts.books import AT_ONCE, FAIL, NOON, TWICE, WARN, Desk, Receiver, problem, silent

RACK = [f"spark{number:02d}" for number in range(1, 37)]
OPS = Acknowledgement(by="ops", at=NOON, note="ordered a disk")


def told(desk: Desk) -> list[tuple[AlertEvent, int]]:
    return [(change.event, len(change.nodes)) for change in desk.told]


def test_a_failure_is_told_once_and_its_end_once() -> None:
    desk = Desk()
    (opened,) = desk.run([problem("n1")])
    assert (opened.event, opened.state, opened.previous) == (AlertEvent.OPENED, AlertState.OPEN, AlertState.NEW)
    assert opened.run_id == "run1"
    assert desk.run([problem("n1")], hours=1) == []
    (over,) = desk.run(cleared=[problem("n1")], hours=2)
    assert (over.event, over.state, over.previous) == (AlertEvent.RESOLVED, AlertState.RESOLVED, AlertState.OPEN)


def test_silence_resolves_nothing() -> None:
    desk = Desk()
    desk.run([problem("n1")])
    assert desk.run(unseen=[problem("n1")], hours=100) == []
    (condition,) = desk.book.conditions.values()
    assert condition.unseen
    assert condition.last_seen == NOON


def test_a_run_that_is_in_the_book_changes_nothing() -> None:
    desk = Desk()
    desk.run([problem("n1")])
    desk.runs = 0
    assert desk.run(cleared=[problem("n1")]) == []
    assert all(one.resolved_at is None for one in desk.book.conditions.values())


def test_what_is_held_down_is_told_when_it_was_seen_so_often() -> None:
    desk = Desk(TWICE)
    assert desk.run([problem("n1")]) == []
    assert desk.run(unseen=[problem("n1")]) == []  # a visit that cannot tell is none of them
    assert [each.event for each in desk.run([problem("n1")])] == [AlertEvent.OPENED]
    assert desk.run(cleared=[problem("n1")]) == []
    assert desk.run([problem("n1")]) == []
    assert desk.run(cleared=[problem("n1")]) == []
    assert [each.event for each in desk.run(cleared=[problem("n1")])] == [AlertEvent.RESOLVED]


def test_what_went_while_it_was_held_down_is_never_told() -> None:
    desk = Desk(TWICE)
    for _ in range(3):
        desk.run([problem("n1")])
        desk.run(cleared=[problem("n1")])
    assert desk.told == []


def test_a_hold_in_seconds_counts_from_sighting_to_sighting() -> None:
    desk = Desk(AlertRules(holds=(HoldRule("*", Hold(None, 7200)),)))
    desk.run([problem("n1")])
    desk.run([problem("n1")], hours=1)
    assert desk.run(unseen=[problem("n1")], hours=5) == []
    assert [each.event for each in desk.run([problem("n1")], hours=6)] == [AlertEvent.OPENED]


def test_a_clock_that_is_set_back_holds_nothing_down_for_longer() -> None:
    desk = Desk(AlertRules(holds=(HoldRule("*", Hold(None, 7200)),)))
    desk.run([problem("n1")], hours=24 * 365)
    desk.run([problem("n1")], hours=0)
    desk.run([problem("n1")], hours=1)
    assert desk.told == []
    assert [each.event for each in desk.run([problem("n1")], hours=2)] == [AlertEvent.OPENED]


def test_an_acknowledged_alert_opens_again_when_it_is_worse() -> None:
    desk = Desk()
    (opened,) = desk.run([problem("n1", severity=WARN)])
    desk.enter(acknowledge(desk.book, [opened.fingerprint], OPS), "")
    desk.run([problem("n1", severity=WARN)], hours=1)
    (condition,) = desk.book.conditions.values()
    assert condition.state is AlertState.ACKNOWLEDGED
    (worse,) = desk.run([problem("n1", severity=FAIL)], hours=2)
    assert (worse.event, worse.previous, worse.state) == (
        AlertEvent.WORSENED,
        AlertState.ACKNOWLEDGED,
        AlertState.OPEN,
    )
    assert desk.run([problem("n1", severity=WARN)], hours=3) == []
    assert desk.noted[-1].event is AlertEvent.EASED


@pytest.mark.parametrize("kind", [AlertKind.CHANGED, AlertKind.BOOT_END])
def test_what_has_happened_is_over_when_somebody_took_note(kind: AlertKind) -> None:
    desk = Desk()
    (opened,) = desk.run([problem("n1", "it", kind=kind)])
    after = acknowledge(desk.book, [opened.fingerprint], OPS)
    assert [(each.event, each.state) for each in after.told] == [(AlertEvent.ACKNOWLEDGED, AlertState.RESOLVED)]


def test_the_end_of_a_boot_is_not_told_again() -> None:
    desk = Desk()
    end = problem("n1", "boot", kind=AlertKind.BOOT_END)
    (opened,) = desk.run([end])
    desk.enter(acknowledge(desk.book, [opened.fingerprint], OPS), "")
    assert desk.run([end], hours=24) == []


def test_a_night_of_updates_is_one_alert_that_grows() -> None:
    nodes = [f"n{number:03d}" for number in range(300)]
    desk, receiver = Desk(), Receiver()
    for hour in range(6):
        changed = [problem(node, "driver 1 → 2", kind=AlertKind.CHANGED) for node in nodes[hour * 50 : hour * 50 + 50]]
        receiver.take(desk.run(changed, hours=hour))
    assert told(desk) == [(AlertEvent.OPENED, 50)] + [(AlertEvent.GREW, 50)] * 5
    assert {each.fingerprint for each in desk.told} == {desk.told[0].fingerprint}
    assert list(receiver.open.values()) == [set(nodes)]


def test_nodes_that_follow_one_by_one_come_to_share_an_alert() -> None:
    desk, receiver = Desk(), Receiver()
    for number in range(5):
        receiver.take(desk.run([problem(f"n{number}")], hours=number))
    assert [event for event, _ in told(desk)].count(AlertEvent.OPENED) == 3  # two alone, then the three of them
    assert list(receiver.open.values()) == [{f"n{number}" for number in range(5)}]


def test_after_the_window_a_new_alert_begins() -> None:
    desk = Desk()
    desk.run([problem(f"n{number}") for number in range(3)])
    (later,) = desk.run([problem("n9")], hours=13)
    assert (later.event, later.nodes) == (AlertEvent.OPENED, ["n9"])


def test_a_roll_up_shrinks_in_silence_and_ends_once() -> None:
    desk, three = Desk(), [problem(f"n{number}") for number in range(3)]
    desk.run(three)
    assert desk.run(cleared=three[:2], hours=1) == []
    (over,) = desk.run(cleared=three[2:], hours=2)
    assert (over.event, over.nodes) == (AlertEvent.RESOLVED, ["n0", "n1", "n2"])


def test_an_acknowledged_roll_up_that_grows_is_open_again() -> None:
    desk = Desk()
    (opened,) = desk.run([problem(f"n{number}") for number in range(3)])
    desk.enter(acknowledge(desk.book, [opened.fingerprint], OPS), "")
    (grown,) = desk.run([problem("n9")], hours=1)
    assert (grown.event, grown.previous, grown.state) == (AlertEvent.GREW, AlertState.ACKNOWLEDGED, AlertState.OPEN)


def test_an_alert_that_somebody_has_taken_stays_their_own() -> None:
    desk = Desk()
    (opened,) = desk.run([problem("n1")])
    desk.enter(acknowledge(desk.book, [opened.fingerprint], OPS), "")
    (rest,) = desk.run([problem(f"n{number}") for number in range(2, 6)], hours=1)
    assert rest.nodes == ["n2", "n3", "n4", "n5"]
    assert desk.book.conditions[opened.fingerprint].state is AlertState.ACKNOWLEDGED


def test_a_rack_without_power_is_one_alert_and_claims_no_cause() -> None:
    desk = Desk(AlertRules())
    rack, row = Place("rack a1", frozenset(RACK)), Place("site north", frozenset([*RACK, "spark99"]))
    (alert,) = desk.run(map(silent, RACK), places=[rack, row])
    assert (alert.subject, alert.nodes) == ("rack a1 is silent", RACK)
    assert alert.summary == "all 36 nodes of rack a1 are silent, since one run"
    desk.run(map(silent, RACK[1:]), [silent(RACK[0])], hours=1, places=[rack, row])
    assert told(desk) == [(AlertEvent.OPENED, 36)]
    desk.run(cleared=map(silent, RACK[1:]), hours=2)
    assert told(desk)[1:] == [(AlertEvent.RESOLVED, 36)]


def test_a_rack_of_which_one_node_answers_is_not_silent() -> None:
    desk = Desk(AlertRules())
    place = Place("rack a1", frozenset(RACK))
    assert desk.run(map(silent, RACK[1:]), places=[place]) == []  # held down, as any node is
    (alert,) = desk.run(map(silent, RACK[1:]), hours=1, places=[place])
    assert (alert.subject, len(alert.nodes)) == ("connect.timeout", 35)


def test_nodes_that_were_silent_before_did_not_go_with_the_rest() -> None:
    desk = Desk(AlertRules())
    place = Place("rack a1", frozenset(RACK))
    for hour in range(2):
        desk.run([silent(RACK[0])], hours=hour)
    (alert,) = desk.run(map(silent, RACK), hours=2, places=[place])
    assert alert.nodes == RACK[1:]
    assert alert.summary == "all 36 nodes of rack a1 are silent, 35 of them since one run"


def test_a_check_that_comes_and_goes_is_told_to_flap_once_and_held_until_it_is_calm() -> None:
    desk = Desk(replace(AT_ONCE, flapping=Flapping()))
    receiver = Receiver()
    for hour in range(40):
        one = [problem("n1")]
        receiver.take(desk.run(one if hour % 2 else [], [] if hour % 2 else one, hours=hour))
    events = [change.event for change in desk.told]
    assert events.count(AlertEvent.FLAPPING) == 1
    assert events[-1] is AlertEvent.FLAPPING
    for hour in range(40, 80):
        receiver.take(desk.run([problem("n1")], hours=hour))
    assert [change.event for change in desk.told][-1] is AlertEvent.CALMED
    assert desk.told[-1].state is AlertState.OPEN
    receiver.take(desk.run(cleared=[problem("n1")], hours=80))
    assert receiver.open == {}


def test_flapping_that_ends_well_is_told_as_resolved() -> None:
    desk = Desk(replace(AT_ONCE, flapping=Flapping()))
    for hour in range(40):
        one = [problem("n1")]
        desk.run(one if hour % 2 else [], [] if hour % 2 else one, hours=hour)
    for hour in range(40, 80):
        desk.run(cleared=[problem("n1")], hours=hour)
    assert [change.event for change in desk.told][-2:] == [AlertEvent.FLAPPING, AlertEvent.RESOLVED]


def test_flapping_is_told_also_of_what_was_held_down() -> None:
    desk = Desk(replace(TWICE, flapping=Flapping()))
    for hour in range(12):
        one = [problem("n1")]
        desk.run(one if hour % 2 else [], [] if hour % 2 else one, hours=hour)
    assert [change.event for change in desk.told] == [AlertEvent.FLAPPING]


def test_a_mute_records_and_what_is_still_there_is_told_when_it_ends() -> None:
    desk, muted = Desk(), {"n1": "patching", "n2": "patching"}
    assert desk.run([problem("n1"), problem("n2")], muted=muted) == []
    assert [(each.event, each.told) for each in desk.noted] == [(AlertEvent.MUTED, False)] * 2
    assert desk.run([problem("n1")], [problem("n2")], hours=1, muted=muted) == []
    (opened,) = desk.run(hours=2)
    assert (opened.event, opened.nodes) == (AlertEvent.OPENED, ["n1"])


def test_what_was_told_before_a_mute_is_told_to_be_over_within_it() -> None:
    desk = Desk()
    desk.run([problem("n1")])
    (over,) = desk.run(cleared=[problem("n1")], hours=1, muted={"n1": "patching"})
    assert over.event is AlertEvent.RESOLVED


def test_what_became_worse_within_a_mute_is_told_after_it() -> None:
    desk = Desk()
    desk.run([problem("n1", severity=WARN)])
    assert desk.run([problem("n1")], hours=1, muted={"n1": "patching"}) == []
    assert [each.event for each in desk.run([problem("n1")], hours=2)] == [AlertEvent.WORSENED]


def test_holds_are_found_by_check_then_by_severity_or_kind() -> None:
    rules = AlertRules(holds=(HoldRule("warn", Hold(5)), HoldRule("gpu.*", Hold(3)), HoldRule("gpu.ecc", Hold(9))))
    assert rules.hold_of(AlertKind.CHECK, "gpu.ecc", FAIL).telling == Hold(3)
    assert rules.hold_of(AlertKind.CHECK, "disk.space", WARN).telling == Hold(5)
    assert rules.hold_of(AlertKind.CHECK, "disk.space", FAIL).telling == Hold()
    assert rules.hold_of(AlertKind.REFUSED, "", FAIL).telling == Hold()
    assert AlertRules().hold_of(AlertKind.UNREPORTED, "", FAIL).telling == Hold(2)


def test_a_score_halves_in_its_half_life_and_no_clock_raises_it() -> None:
    flapping = Flapping(half_life_s=3600)
    assert flapping.decayed(4, timedelta(hours=2).total_seconds()) == 1
    assert flapping.decayed(4, -1e9) == 4
