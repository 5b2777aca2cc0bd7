"""The state machine as data: everything in it can be reached, left, provided, and is used."""

import pytest

from sparkctl.lifecycle.machine import APPROVAL, EDGES, EVIDENCE, STATES, edge_between, edges_from
from sparkctl.model.lifecycle import LifecycleState as State
from sparkctl.model.lifecycle import Risk, UnitRule


def reached(start: State, closed: State | None = None) -> set[State]:
    """The states that can be reached; none leads through `closed`."""
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for edge in EDGES if here is not closed else ():
            if here in edge.sources and edge.to not in found:
                found.add(edge.to)
                waiting.append(edge.to)
    return found


def test_every_state_is_described_and_can_be_reached() -> None:
    assert list(STATES) == list(State)
    assert reached(State.UNRECORDED) == set(State)


def test_no_two_edges_join_the_same_states() -> None:
    pairs = [(source, edge.to) for edge in EDGES for source in edge.sources]
    assert len(pairs) == len(set(pairs))
    assert all(source is not to for source, to in pairs)


def test_every_kind_of_evidence_is_needed_by_an_edge_and_every_need_is_described() -> None:
    assert {kind for edge in EDGES for kind in edge.needs} == set(EVIDENCE)


def test_from_every_state_a_life_can_end() -> None:
    ends = {state for state, about in STATES.items() if about.ends}
    assert {State.DISPOSED, State.RETURNED, State.LOST, State.CANCELLED} == ends
    for state in State:
        assert reached(state) & ends, state


def test_a_failed_erasure_has_no_way_out_but_destruction() -> None:
    assert [edge.to for edge in edges_from(State.ERASE_FAILED)] == [State.DESTROYED]
    assert {edge.to for edge in edges_from(State.DESTROYED)} == {State.DISPOSED, State.LOST}


def test_what_may_hold_data_leaves_the_house_only_purged_or_destroyed() -> None:
    """From service, no way leads to a disposer or the supplier past both."""
    for start in (State.IN_SERVICE, State.MAINTENANCE, State.INCIDENT, State.PROVISIONING, State.RETIRING):
        seen, waiting = {start}, [start]
        while waiting:
            for edge in EDGES:
                if waiting[0] in edge.sources and edge.to not in (State.SANITISED, State.DESTROYED, *seen):
                    seen.add(edge.to)
                    waiting.append(edge.to)
            waiting.pop(0)
        assert not seen & {State.DISPOSED, State.RETURNED}, start


def test_two_persons_are_needed_wherever_an_approval_is() -> None:
    for edge in EDGES:
        assert (APPROVAL in edge.needs) == (edge.risk is Risk.TWO_PERSONS), edge


def test_retirement_takes_the_unit_apart_first() -> None:
    assert all(edge.unit is UnitRule.DISSOLVED for edge in EDGES if edge.to is State.RETIRING)


@pytest.mark.parametrize("state", [state for state, about in STATES.items() if about.ends])
def test_an_old_name_can_be_given_to_a_new_machine(state: State) -> None:
    edge = edge_between(state, State.EXPECTED)
    assert edge is not None
    assert edge.sources == (State.UNRECORDED,)


def test_nothing_leads_to_in_service_without_evidence() -> None:
    assert all(edge.needs for edge in EDGES if edge.to is State.IN_SERVICE)
