"""The outbox in the store: nothing is lost, nothing is sent by two at once, nothing grows without bounds."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.deliver import Pace, deliver
from sparkctl.model.event import Addressed, EventKind
from sparkctl.model.sink import Retry, Spool
from sparkctl.store import Store
from sparkctl.store.outbox_entries import DEAD, DELIVERED
from tests.sinks.collectors import Elastic
from tests.sinks.events import NOON, SECRET, Clock, event, plan, send, settings, spooled, token
from tests.sinks.receivers import Reply, receiver, silent_port
from tests.support.command import json_lines, sparkctl

pytestmark = pytest.mark.slow
EVENTS = [event(number) for number in range(5)]


def states(store: Store, sink: str = "s") -> Counter[str]:
    return Counter(one.state for one in store.outbox.deliveries(sink=sink))


def test_an_event_is_put_once_whoever_tells_it_again(tmp_path: Path) -> None:
    with spooled(tmp_path, EVENTS, "a", "b") as store:
        store.outbox.put([Addressed(EVENTS[0], ("a", "c"), NOON)], {})
        assert [store.outbox.waiting(name) for name in ("a", "b", "c")] == [5, 5, 1]
        found = store.outbox.event(EVENTS[0].event_id)
    assert found == EVENTS[0]


def test_a_lease_keeps_others_away_until_it_ends(tmp_path: Path) -> None:
    with spooled(tmp_path, EVENTS, "s") as store:
        first = store.outbox.take("s", 3, NOON, NOON + timedelta(seconds=60))
        other = store.outbox.take("s", 9, NOON, NOON + timedelta(seconds=60))
        assert [one.told for one in first.taken] == EVENTS[:3]
        assert [one.told for one in other.taken] == EVENTS[3:]
        assert store.outbox.take("s", 9, NOON, NOON).taken == ()
        late = store.outbox.take("s", 9, NOON + timedelta(seconds=61), NOON + timedelta(hours=1))
        assert [one.told for one in late.taken] == EVENTS


def test_a_sink_that_is_down_for_an_hour_loses_nothing_and_gets_nothing_twice(tmp_path: Path) -> None:
    clock, up = Clock(), False
    taken: list[str] = []

    def answer(request: object) -> Reply:
        if up:
            taken.append(request.headers["idempotency-key"])  # type: ignore[attr-defined]
        return Reply(200 if up else 503)

    with receiver(answer) as seen, spooled(tmp_path, EVENTS, "s") as store:
        sink = settings(f"webhook+http://127.0.0.1:{seen.port}/", retry=Retry(attempts=2))
        for _ in range(20):
            result = send(store, sink, clock)
            assert result.trouble
            assert result.waiting == 5
            clock.pass_(minutes=3)
        asked = len(seen.requests)
        assert 4 < asked < 12  # each rest is longer than the one before
        up = True
        clock.pass_(minutes=15)
        assert send(store, sink, clock).waiting == 0
        assert send(store, sink, clock).tally.delivered == 0
        memory = store.outbox.memory_of("s")
        assert (memory.failures, memory.next_at, memory.last_success_at) == (0, None, clock.now)
    assert sorted(taken) == sorted(one.event_id for one in EVENTS)


def test_a_sink_that_says_when_is_not_asked_before(tmp_path: Path) -> None:
    clock = Clock()
    with (
        receiver(lambda _: Reply(429, headers={"Retry-After": "1800"})) as seen,
        spooled(tmp_path, EVENTS, "s") as store,
    ):
        sink = settings(f"webhook+http://127.0.0.1:{seen.port}/")
        assert send(store, sink, clock, draw=0.0).down
        clock.pass_(minutes=29)
        resting = send(store, sink, clock, draw=0.0)
        assert resting.resting_until == NOON + timedelta(minutes=30)
        assert resting.trouble
        assert len(seen.requests) == 1
        clock.pass_(minutes=2)
        send(store, sink, clock)
        assert len(seen.requests) == 2


def test_what_is_refused_or_fails_too_often_or_is_too_old_is_dead_and_can_be_replayed(tmp_path: Path) -> None:
    clock, replies = Clock(), {EVENTS[0].event_id: 422, EVENTS[1].event_id: 500}
    with (
        receiver(lambda one: Reply(replies.get(one.headers["idempotency-key"], 200))) as seen,
        spooled(tmp_path, EVENTS[:3], "s") as store,
    ):
        sink = settings(f"webhook+http://127.0.0.1:{seen.port}/", retry=Retry(attempts=3, max_age_s=3600))
        for _ in range(4):
            send(store, sink, clock)
            clock.pass_(minutes=10)
        dead = store.outbox.deliveries(state=DEAD)
        assert [(one.event_id, one.attempts) for one in dead] == [(EVENTS[0].event_id, 1), (EVENTS[1].event_id, 3)]
        assert "422" in (dead[0].why or "")
        store.outbox.put([Addressed(EVENTS[4], ("s",), NOON)], {})
        clock.pass_(hours=1)
        old = send(store, sink, clock)
        assert (old.buried, old.trouble) == (1, True)
        assert states(store) == {DEAD: 3, DELIVERED: 1}
        replies.clear()
        assert store.outbox.replay(clock.now, (DEAD,), sink="s") == 3
        assert send(store, sink, clock).tally.delivered == 3
        assert store.outbox.replay(clock.now, (DEAD, DELIVERED), event_ids=[EVENTS[2].event_id]) == 1
        assert send(store, sink, clock).tally.delivered == 1
    assert Counter(seen.ids)[EVENTS[2].event_id] == 2


def test_too_much_is_dropped_visits_first_and_that_is_told_and_counted(tmp_path: Path) -> None:
    clock = Clock()
    kinds = [EventKind.ALERT, *[EventKind.VISIT] * 6, EventKind.RUN]
    events = [event(number, kind) for number, kind in enumerate(kinds)]
    with receiver() as seen, Store.open(tmp_path) as store:
        sink = settings(f"webhook+http://127.0.0.1:{seen.port}/", spool=Spool(rows=4))
        store.outbox.put([Addressed(one, ("s",), NOON) for one in events], {"s": sink.spool})
        assert [one.event_id for one in store.outbox.deliveries()] == [
            events[number].event_id for number in (0, 5, 6, 7)
        ]  # fmt: skip
        assert store.outbox.event(events[1].event_id) is None
        assert send(store, sink, clock).tally.delivered == 5
        told = seen.requests[-1].json
        assert (told["kind"], told["body"]["dropped"], told["body"]["dropped_ever"]) == ("outbox", 4, 4)
        small = Spool(rows=100, max_bytes=3 * len(events[0].body))
        store.outbox.put([Addressed(event(n), ("s",), NOON) for n in range(20, 30)], {"s": small})
        assert store.outbox.waiting("s") <= 3
        assert store.outbox.memory_of("s").dropped >= 11


def test_what_was_delivered_is_let_go_of_in_time(tmp_path: Path) -> None:
    clock = Clock()
    with receiver() as seen, spooled(tmp_path, EVENTS, "s", "t") as store:
        sink = settings(f"webhook+http://127.0.0.1:{seen.port}/", spool=Spool(keep_s=3600))
        send(store, sink, clock)
        clock.pass_(minutes=59)
        send(store, sink, clock)
        assert states(store) == {DELIVERED: 5}
        clock.pass_(minutes=2)
        send(store, sink, clock)
        assert states(store) == {}
        assert store.outbox.waiting("t") == 5
        assert store.outbox.event(EVENTS[0].event_id) == EVENTS[0]


def test_who_is_interrupted_gives_back_what_was_taken(tmp_path: Path) -> None:
    over, once = threading.Event(), threading.Lock()

    def interrupt(_: object) -> Reply:
        if once.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGINT)
        over.wait(5)
        return Reply()

    with receiver(interrupt) as seen, spooled(tmp_path / "state", [event(1), event(2)], "s") as store:
        to = settings(f"webhook+http://127.0.0.1:{seen.port}/", secret=token(tmp_path))
        with pytest.raises(KeyboardInterrupt):
            send(store, to, Clock())
        over.set()
        again = store.outbox.take("s", 9, NOON, NOON).taken
        assert [one.told.event_id for one in again] == [event(1).event_id, event(2).event_id]


def test_a_sink_that_hangs_does_not_hold_the_others(tmp_path: Path) -> None:
    clock = Clock()
    with (
        silent_port() as silent,
        receiver() as seen,
        spooled(tmp_path, EVENTS, "a", "b") as store,
    ):
        hanging = settings(f"webhook+http://127.0.0.1:{silent}/", "a", timeout_s=60.0)
        well = settings(f"webhook+http://127.0.0.1:{seen.port}/", "b")
        results = deliver(store, plan(hanging, well), ["a", "b"], Pace(4.0, now=clock))
    assert [one.waiting for one in results] == [5, 0]
    assert [(one.late, one.trouble) for one in results] == [(True, False), (False, False)]


AGE = "retry: {max_age: 366d}"  # the events are of a March, whatever the month is when this runs
SENDER = """
import os, signal, sys
from pathlib import Path
from sparkctl.app.deliver import Pace
from sparkctl.app.sinks import send
from sparkctl.app.sink_file import read_sinks
from sparkctl.store import outbox
if sys.argv[1] == "kill":
    outbox.Outbox.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
send(Path("state"), read_sinks(Path("sinks.yaml")), (), Pace(20.0))
"""


def start_sender(folder: Path, how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SENDER, how],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_who_is_killed_before_noting_what_was_taken_sends_it_again_under_its_key(
    tmp_path: Path,
) -> None:
    elastic = Elastic()
    with receiver(elastic) as bulk, receiver() as hook, spooled(tmp_path / "state", EVENTS, "bulk", "hook") as store:
        (tmp_path / "sinks.yaml").write_text(
            f"version: 1\nsinks:\n  bulk: {{url: 'elastic+http://127.0.0.1:{bulk.port}', index: sparkctl, {AGE}}}\n"
            f"  hook: {{url: 'webhook+http://127.0.0.1:{hook.port}', token_file: token, {AGE}}}\n"
        )
        token(tmp_path)
        assert start_sender(tmp_path, "kill").wait(60) == -9
        assert (len(bulk.requests), store.outbox.waiting("bulk"), store.outbox.waiting("hook")) == (1, 5, 5)
        clock = Clock()
        clock.now += timedelta(days=365 * 20)  # every lease has ended
        never = Retry(max_age_s=366 * 86400 * 100)
        send(store, settings(f"elastic+http://127.0.0.1:{bulk.port}", "bulk", index="sparkctl", retry=never), clock)
        send(store, settings(f"webhook+http://127.0.0.1:{hook.port}/", "hook", retry=never), clock)
        assert store.outbox.waiting("bulk") == store.outbox.waiting("hook") == 0
    assert sorted(elastic.documents) == sorted(one.event_id for one in EVENTS)
    assert elastic.conflicts == 5
    assert set(hook.ids) == {one.event_id for one in EVENTS}


def test_two_senders_at_once_send_nothing_twice(tmp_path: Path) -> None:
    events = [event(number) for number in range(100)]
    with receiver() as seen, spooled(tmp_path / "state", events, "hook") as store:
        (tmp_path / "sinks.yaml").write_text(
            f"version: 1\nsinks:\n  hook:\n    batch: 7\n    token_file: token\n    {AGE}\n"
            f"    url: webhook+http://127.0.0.1:{seen.port}/\n"
        )
        token(tmp_path)
        senders = [start_sender(tmp_path, "send") for _ in range(2)]
        assert [one.wait(60) for one in senders] == [0, 0]
        assert store.outbox.waiting("hook") == 0
    assert Counter(seen.ids) == Counter(one.event_id for one in events)
    assert all(SECRET.encode() not in one.body for one in seen.requests)


def test_a_sink_that_is_no_more_can_be_forgotten_with_what_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "sinks.yaml").write_text("version: 1\nsinks:\n  new: {url: 'file:///var/log/none.jsonl'}\n")
    (tmp_path / "fleet.yaml").write_text("nodes:\n  n1: {}\n")
    with spooled(tmp_path / "state", [event(1), event(2)], "old", "new"):
        pass
    common: list[str | Path] = ["--state", tmp_path / "state", "--fleet", tmp_path / "fleet.yaml"]
    for name, words in (("new", "stands in"), ("nobody", "nothing was ever to be sent")):
        refused = sparkctl("sinks", "forget", name, *common, home=tmp_path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert words in refused.stderr
    assert json_lines(sparkctl("sinks", "forget", "old", *common, home=tmp_path)) == [{"sink": "old", "dropped": 2}]
    with Store.open(tmp_path / "state") as store:
        assert store.outbox.names() == ["new"]
        assert store.outbox.waiting("new") == 2
    (tmp_path / "sinks.yaml").unlink()
    assert json_lines(sparkctl("sinks", "forget", "new", *common, home=tmp_path)) == [{"sink": "new", "dropped": 2}]
    with Store.open(tmp_path / "state") as store:
        assert store.outbox.event_ids(event(1).event_id) == []
