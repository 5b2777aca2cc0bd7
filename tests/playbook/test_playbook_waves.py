"""Who is treated when, when nodes may be touched at all, and when enough is enough."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.model.inventory import Node
from sparkctl.model.playbook import WaveRule
from sparkctl.model.schedule_times import EVERY_DAY, at
from sparkctl.model.vocabulary import Status
from sparkctl.playbook.calendar import Calendar, Freeze, OpenTimes
from sparkctl.playbook.guard import promotion
from sparkctl.playbook.order import StepCycle, in_order
from sparkctl.playbook.waves import divide, size_of, split_units

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)  # a Tuesday


def nodes(count: int, pairs: int = 0) -> list[Node]:
    """Nodes, of which the first ones are cabled in pairs."""
    return [
        Node(node_id=f"n{number}", unit=f"p{number // 2}" if number < 2 * pairs else None, origin="here")
        for number in range(count)
    ]


def rule(*sizes: str, control: int = 0) -> WaveRule:
    return WaveRule(sizes=list(sizes), control=control)


def test_the_last_size_repeats_until_nobody_is_left() -> None:
    division = divide(nodes(20), rule("1", "10%", "6"))
    assert [len(wave.node_ids) for wave in division.waves] == [1, 2, 6, 6, 5]
    assert [wave.number for wave in division.waves] == [1, 2, 3, 4, 5]


def test_control_nodes_are_a_wave_of_their_own_and_the_last() -> None:
    division = divide(nodes(6), rule("1", "100%", control=2))
    assert [wave.node_ids for wave in division.waves] == [["n0"], ["n1", "n2", "n3"], ["n4", "n5"]]
    assert division.control == ["n4", "n5"]


def test_control_nodes_are_never_all_there_are() -> None:
    assert [wave.node_ids for wave in divide(nodes(1), rule("1", control=5)).waves] == [["n0"]]
    assert divide(nodes(3), rule("1", control=5)).waves[0].node_ids == ["n0"]


@given(
    count=st.integers(1, 60),
    pairs=st.integers(0, 30),
    sizes=st.lists(st.sampled_from(["1", "2", "3", "10%", "33%", "100%"]), min_size=1, max_size=4),
    control=st.integers(0, 10),
)
def test_every_node_is_in_one_wave_and_units_are_whole(count: int, pairs: int, sizes: list[str], control: int) -> None:
    fleet = nodes(count, min(pairs, count // 2))
    division = divide(fleet, rule(*sizes, control=control))
    placed = [name for wave in division.waves for name in wave.node_ids]
    assert sorted(placed) == sorted(node.node_id for node in fleet)
    where = {name: wave.number for wave in division.waves for name in wave.node_ids}
    units: dict[str, set[int]] = {}
    for node in fleet:
        if node.unit is not None:
            units.setdefault(node.unit, set()).add(where[node.node_id])
    assert all(len(found) == 1 for found in units.values())
    assert all(wave.node_ids for wave in division.waves)


def test_a_playbook_that_breaks_units_takes_single_nodes() -> None:
    waves = divide(nodes(4, 2), rule("1"), whole_units=False).waves
    assert [len(wave.node_ids) for wave in waves] == [1, 1, 1, 1]


def test_a_selection_that_splits_a_unit_is_seen() -> None:
    fleet = nodes(4, 2)
    assert split_units(fleet[:3], fleet) == {"p1": ["n3"]}
    assert split_units(fleet, fleet) == {}


@pytest.mark.parametrize("word", ["0", "0%", "-1", "101%", "1.5", "", "all", "１"])
def test_a_size_of_nothing_is_no_size(word: str) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        size_of(word, 10)


def test_steps_are_ordered_by_what_they_need_and_else_as_written() -> None:
    assert in_order(["c", "a", "b"], {"c": ["b"]}) == ["a", "b", "c"]
    assert in_order(["c", "a", "b"], {}) == ["c", "a", "b"]
    with pytest.raises(StepCycle, match="needs"):
        in_order(["a", "b", "c"], {"a": ["b"], "b": ["c"], "c": ["a"]})


NIGHTS = OpenTimes("nights", at({22 * 60}, EVERY_DAY), timedelta(hours=6))


@pytest.mark.parametrize(
    ("hour", "seconds", "fits"),
    [
        (21, 60, False),
        (22, 6 * 3600, True),
        (22, 6 * 3600 + 1, False),
        (3, 3600, True),
        (3, 3601, False),
        (4, 1, False),
    ],
)
def test_what_fits_into_a_window_that_goes_over_midnight(hour: int, seconds: int, fits: bool) -> None:
    now = NOON.replace(hour=hour)
    assert Calendar((NIGHTS,)).fits(now, seconds) is fits


def test_the_next_moment_that_fits_leaves_out_windows_that_a_freeze_cuts() -> None:
    freeze = Freeze("move", NOON.replace(hour=23), NOON + timedelta(days=2), "the cage moves")
    calendar = Calendar((NIGHTS,), (freeze,))
    assert calendar.next_fit(NOON, 3600) == NOON.replace(hour=22)
    assert calendar.next_fit(NOON, 2 * 3600) == (NOON + timedelta(days=2)).replace(hour=22)
    assert Calendar((NIGHTS,)).next_fit(NOON, 7 * 3600) is None


def test_a_site_without_windows_is_open_but_for_freezes() -> None:
    freeze = Freeze("move", NOON + timedelta(hours=1), NOON + timedelta(hours=2), "the cage moves")
    calendar = Calendar((), (freeze,))
    assert calendar.fits(NOON, 3600)
    assert not calendar.fits(NOON, 3601)
    assert calendar.next_fit(NOON + timedelta(minutes=90), 60) == freeze.ends


FINE, BROKEN = {"gpu.xid": Status.PASS}, {"gpu.xid": Status.FAIL}


def test_a_check_that_only_treated_nodes_fail_stops_the_promotion() -> None:
    verdict = promotion({"n1": BROKEN, "n2": FINE}, {"c1": FINE, "c2": None}, {})
    assert not verdict.promoted
    assert verdict.summary == "gpu.xid fails on n1 since the wave, and on none of 2 control nodes"


def test_what_fails_on_control_nodes_as_well_was_not_done_by_us() -> None:
    assert promotion({"n1": BROKEN}, {"c1": BROKEN}, {}).promoted


def test_what_failed_before_is_no_news() -> None:
    assert promotion({"n1": BROKEN}, {"c1": FINE}, {"n1": frozenset({"gpu.xid"})}).promoted


def test_a_treated_node_that_does_not_answer_stops_the_promotion() -> None:
    verdict = promotion({"n1": None, "n2": FINE}, {"c1": FINE}, {})
    assert not verdict.promoted
    assert "n1 did not answer" in verdict.summary


def test_nothing_to_hold_them_against_is_said() -> None:
    assert "no control node" in promotion({"n1": FINE}, {}, {}).summary
