"""What an answer means for each event: for any answer whatever."""

from datetime import timedelta

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sparkctl.app.sink_settling import Policy, Tally, outcome_of
from sparkctl.model.sink import Answer, Down, Result, Retry, Verdict
from sparkctl.store.outbox_entries import DEAD, DELIVERED, WAITING, Lease, Taken
from tests.sinks.events import NOON, event

EVENT = event()
_RESULTS = st.sampled_from([Result(verdict, "said") for verdict in Verdict])


@hypothesis_settings(max_examples=50)
@given(st.lists(_RESULTS, max_size=6), st.booleans(), st.integers(0, 6), st.integers(0, 40), st.floats(0, 1))
def test_whatever_a_sink_answers_every_event_is_settled_once_or_given_back(
    results: list[Result], down: bool, tried: int, failures: int, drawn: float
) -> None:
    taken = tuple(Taken(number, EVENT, 3, NOON) for number in range(6))
    policy, tally = Policy(Retry(attempts=5, first_s=5, longest_s=900), NOON, lambda: drawn), Tally()
    answer = Answer(results, Down("down") if down else None, tried)
    noted = outcome_of(Lease("t", "s", taken), answer, failures, policy, tally)
    numbers = [one.number for one in noted.settled]
    assert numbers == list(range(len(numbers)))
    assert tally.delivered + tally.refused + tally.failed == len(results)
    for one, result in zip(noted.settled, results, strict=False):
        assert (one.state == DELIVERED) == (result.verdict is Verdict.ACCEPTED)
        assert (one.state == DEAD) == (result.verdict is Verdict.REFUSED)
    for one in noted.settled[len(results) :]:
        assert (one.state, one.attempts) == (WAITING, 3)
    for one in noted.settled:
        assert NOON <= one.due_at <= NOON + timedelta(seconds=900)
    if down:
        assert noted.memory["next_at"] <= NOON + timedelta(seconds=900)
