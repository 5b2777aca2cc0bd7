"""Documents about the way of events: how sinks stand, how an event fares, what was dropped, what was tried."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.event import EventKind, EventSeverity


class OutboxDrop(Record):
    """Events that a sink will never get, since more waited for it than may wait.

    `dropped` is how many since this was told last, `dropped_ever` all of them, `told_at` when it is told now.
    """

    drop_schema: Annotated[Literal["sparkctl.outbox-drop/1"], Field(alias="schema")] = "sparkctl.outbox-drop/1"
    sink: Word
    host: Word
    told_at: UtcDatetime
    dropped: Count
    dropped_ever: Count


class SinkTest(Record):
    """A try of a sink: nothing happened. `nonce` makes each try an event of its own."""

    test_schema: Annotated[Literal["sparkctl.sink-test/1"], Field(alias="schema")] = "sparkctl.sink-test/1"
    sink: Word
    host: Word
    at: UtcDatetime
    nonce: Word
    words: Text


class SinkStatus(Record):
    """One sink as it stands.

    `address` is where it sends to, without what identifies us there. `waiting` events have `waiting_bytes` of bodies,
    the oldest since `oldest_at`. `delivered` and `dead` are still kept; `dropped` counts all that ever were. Failing,
    it is not asked again before `next_at`. `configured` is false for a sink that the file does not have any more.
    """

    status_schema: Annotated[Literal["sparkctl.sink-status/1"], Field(alias="schema")] = "sparkctl.sink-status/1"
    sink: Word
    configured: bool
    scheme: Word | None
    address: Text | None
    wants: Text | None
    waiting: Count
    waiting_bytes: Count
    oldest_at: UtcDatetime | None
    delivered: Count
    dead: Count
    dropped: Count
    last_success_at: UtcDatetime | None
    last_error_at: UtcDatetime | None
    last_error: Text | None
    failures_in_a_row: Count
    next_at: UtcDatetime | None


DeliveryState = Literal["waiting", "delivered", "dead"]


class Delivery(Record):
    """How an event fares with one sink.

    `attempts` counts the times that the sink answered and did not take it; a sink that could not be reached counts for
    nothing. `since` is when it came into this state, `why` what the sink said last.
    """

    delivery_schema: Annotated[Literal["sparkctl.delivery/1"], Field(alias="schema")] = "sparkctl.delivery/1"
    event_id: Sha256Hex
    sink: Word
    state: DeliveryState
    kind: EventKind
    severity: EventSeverity
    at: UtcDatetime
    node_id: NodeId | None
    summary: Text
    attempts: Count
    put_at: UtcDatetime
    since: UtcDatetime
    next_at: UtcDatetime | None
    why: Text | None
