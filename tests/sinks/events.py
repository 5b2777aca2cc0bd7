"""Events, plans and outboxes for tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.app.deliver import Delivered, Pace, deliver
from sparkctl.app.sink_address import address_of
from sparkctl.app.sink_formats import parcel
from sparkctl.model.delivery import SinkTest
from sparkctl.model.event import Addressed, EventKind, EventSeverity, Told, told
from sparkctl.model.sink import Only, Parcel, SecretFrom, SecretRef, SinkPlan, SinkSettings
from sparkctl.sinks.registry import EVERYTHING
from sparkctl.store import Store

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECRET = "s3cr3t-t0ken-0f-the-tests"


def event(
    number: int = 1,
    kind: EventKind = EventKind.VISIT,
    summary: str = "spark01: passed",
    severity: EventSeverity = EventSeverity.INFO,
    *,
    node_id: str | None = "spark01",
    words: str = "",
) -> Told:
    """An event that differs from those of other numbers."""
    body = SinkTest(sink="s", host="h", at=NOON, nonce=f"n{number}", words=words)
    return told(kind, body.model_dump_json(), severity=severity, at=NOON, summary=summary, node_id=node_id)


def parcels(*events: Told) -> list[Parcel]:
    return [parcel(one, "event") for one in events]


def settings(url: str, name: str = "s", **parts: Any) -> SinkSettings:
    """A sink at an address."""
    return SinkSettings(
        name=name, address=address_of(url), **{"only": Only(kinds=EVERYTHING), "timeout_s": 5.0, **parts}
    )


def token(folder: Path, secret: str = SECRET) -> SecretRef:
    """A secret in a file that only we may read."""
    path = folder / "token"
    path.touch(0o600)
    path.write_text(secret + "\n")
    return SecretRef(SecretFrom.FILE, str(path))


def plan(*sinks: SinkSettings) -> SinkPlan:
    return SinkPlan(sinks={sink.name: sink for sink in sinks})


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@contextmanager
def spooled(folder: Path, events: Sequence[Told], *sinks: str, at: datetime = NOON) -> Iterator[Store]:
    """A store in which these events wait for these sinks."""
    with Store.open(folder) as store:
        store.outbox.put([Addressed(one, sinks, at) for one in events], {})
        yield store


def send(store: Store, sink: SinkSettings, clock: Clock, within_s: float = 20.0, draw: float = 1.0) -> Delivered:
    """One delivery to one sink."""
    pace = Pace(within_s, now=clock, draw=lambda: draw)
    (result,) = deliver(store, plan(sink), [sink.name], pace)
    return result
