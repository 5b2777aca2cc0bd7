"""What sinks hear of a run of a playbook, and that it is in the outbox with the records that it tells of."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.playbook_events import of_entries, of_entry
from sparkctl.contract.outside import complaints
from sparkctl.errors import RefusedError
from sparkctl.model.event import Addressed, EventKind, EventSeverity, Told
from sparkctl.model.journal import Closed, Event, Held, JournalEntry, Opened, Outcome, WaveBegan
from sparkctl.store.store import Store
from tests.support.playbooks import NOON, plan_of

PLAN = plan_of(2)


def entry(event: Event) -> JournalEntry:
    return JournalEntry(run_id="r1", seq=1, at=NOON, fence=1, previous="0" * 64, event=event)


def told(event: Event) -> Told:
    found = of_entry(entry(event), PLAN)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("event", "severity", "words"),
    [
        (Opened(plan_sha256="0" * 64, approved_by=["alice"]), EventSeverity.INFO, "begun, approved by alice"),
        (Held(why="enough"), EventSeverity.ERROR, "held: enough"),
        (Closed(outcome=Outcome.DONE, summary="all well"), EventSeverity.INFO, "over, done: all well"),
        (Closed(outcome=Outcome.FAILED, summary="1 of 2"), EventSeverity.ERROR, "over, failed: 1 of 2"),
    ],
)
def test_what_happens_to_a_run_is_an_event_whose_body_is_the_record(
    event: Event, severity: EventSeverity, words: str
) -> None:
    found = told(event)
    assert found.kind is EventKind.PLAYBOOK
    assert found.severity is severity
    assert found.summary == f"[simulated] maintenance/pretend r1: {words}"
    assert list(complaints(f"{found.json}\n{found.body}".encode())) == []


def test_what_goes_on_within_a_wave_is_not_told() -> None:
    assert of_entry(entry(WaveBegan(wave=1)), PLAN) is None


def test_events_are_in_the_outbox_with_the_records_or_not_at_all(tmp_path: Path) -> None:
    def tell(entries: Sequence[JournalEntry]) -> list[Addressed]:
        return [Addressed(found, ("siem",), NOON) for found in of_entries(entries, PLAN)]

    until = NOON + timedelta(minutes=1)
    with Store.open(tmp_path) as store:
        store.journals.keep_plan(PLAN)
        held = Held(why="enough")
        claim = store.journals.claim("r1", ["n1"], "a", now=NOON, until=until, gone=lambda _: True)
        later = store.journals.claim("r1", ["n1"], "b", now=NOON, until=until, gone=lambda _: True)
        with pytest.raises(RefusedError):
            store.journals.append(claim, [held], now=NOON, until=until, tell=tell)
        assert store.outbox.waiting("siem") == 0
        store.journals.append(later, [held], now=NOON, until=until, tell=tell)
        assert [one.kind for one in store.outbox.deliveries()] == [EventKind.PLAYBOOK]
