"""What the outbox costs: events a second into a local webhook, from the store, beside a plain loop of the same client.

python -m tests.bench.sinks            2,000 events, three times
python -m tests.bench.sinks --quick    200 events
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.deliver import Pace, deliver
from sparkctl.app.events import of_outcome
from sparkctl.app.sink_address import address_of
from sparkctl.app.sink_formats import parcel
from sparkctl.model.event import Addressed, EventKind, Told
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.sink import Only, SinkPlan, SinkSettings
from sparkctl.sinks.webhook import WebhookSink
from sparkctl.store import Store
from tests.bench.figures import table
from tests.bench.options import parser as command_line
from tests.sinks.receivers import receiver
from tests.support.envelopes import finding, reported

EVENTS, QUICK, TIMES = 2000, 200, 3
CHECKS = 30


def records(count: int) -> list[Told]:
    """Events of visits, each with a run record of about ten thousand bytes."""
    found = []
    for number in range(count):
        checks = [finding(f"disk.check_{check}", summary=f"check {check} of node {number}") for check in range(CHECKS)]
        found.append(of_outcome(NodeOutcome.of(reported(f"spark{number}", *checks))))
    return found


def plain(settings: SinkSettings, events: list[Told]) -> float:
    """Seconds for all of them, one after another, by the client alone."""
    parcels = [parcel(told, "event") for told in events]
    sink = WebhookSink(settings)
    started = time.perf_counter()
    answer = sink.send(parcels, time.monotonic() + 600)
    seconds = time.perf_counter() - started
    sink.close()
    assert len(answer.results) == len(events), answer.down
    return seconds


def through_the_outbox(settings: SinkSettings, events: list[Told]) -> float:
    """Seconds for the same from the store: taken under leases, sent, settled."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "state") as store:
        now = datetime.now(UTC)
        store.outbox.put([Addressed(told, (settings.name,), now) for told in events], {})
        started = time.perf_counter()
        (result,) = deliver(store, SinkPlan(sinks={settings.name: settings}), [settings.name], Pace(600))
        seconds = time.perf_counter() - started
    assert result.tally.delivered == len(events), result.tally.why
    return seconds


def main() -> None:
    """Measure and print a table."""
    line = command_line("sinks", __doc__)
    line.add_argument("--quick", action="store_true", help="fewer events")
    options = line.parse_args()
    events = records(QUICK if options.quick else EVENTS)
    size = sum(len(told.json) for told in events) // len(events)
    ways: dict[str, Callable[[SinkSettings, list[Told]], float]] = {
        "the client alone": plain,
        "through the outbox": through_the_outbox,
    }
    with receiver() as seen:
        url = f"webhook+http://127.0.0.1:{seen.port}/"
        settings = SinkSettings(name="hook", address=address_of(url), only=Only(kinds=frozenset(EventKind)))
        taken = {way: [run(settings, events) for _ in range(TIMES)] for way, run in ways.items()}
    least = statistics.median(taken["the client alone"])
    rows = [
        [way, f"{len(events) / statistics.median(seconds):,.0f}", f"{statistics.median(seconds) / least:.2f}"]
        for way, seconds in taken.items()
    ]
    print(f"{len(events):,} events of {size:,} bytes, median of {TIMES}")
    print(table(["way", "events a second", "time, in units of the client alone"], rows))


if __name__ == "__main__":
    main()
