"""Sinks, their events and how those fare, on the screen."""

import json
from datetime import datetime
from typing import TextIO

from rich.text import Text

from sparkctl.model.delivery import Delivery, SinkStatus
from sparkctl.model.event import Told
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import count, size, to_second


def show_sinks(statuses: list[SinkStatus], stream: TextIO) -> None:
    """A few lines for each sink."""
    with screen_on(stream) as console:
        for status in statuses:
            place = status.address or "not in the file any more: nothing is sent there"
            console.print(Text.assemble((status.sink, "bold"), f"  {place}"))
            for title, words, style in _lines(status):
                console.print(Text.assemble((f"  {title:<9}", "dim"), (words, style)))


def _lines(status: SinkStatus) -> list[tuple[str, str, str]]:
    lines = [("wants", status.wants, "")] if status.wants else []
    waiting = f"{count(status.waiting, 'event')}, {size(status.waiting_bytes)}"
    waiting += f", the oldest since {_at(status.oldest_at)}" if status.oldest_at else ""
    lines.append(("waiting", waiting if status.waiting else "none", ""))
    lines.append(("taken", f"last {_at(status.last_success_at)}; {status.delivered:,} still kept", ""))
    if status.dead or status.dropped:
        words = f"{count(status.dead, 'event')} given up, {status.dropped:,} ever dropped since too many waited"
        lines.append(("lost", words, STYLES["fail"]))
    if status.last_error:
        style = STYLES["fail"] if status.failures_in_a_row else ""
        lines.append(("error", f"{_at(status.last_error_at)}: {status.last_error}", style))
    if status.failures_in_a_row and status.next_at:
        words = f"{count(status.failures_in_a_row, 'failure')} in a row; asked again from {_at(status.next_at)}"
        lines.append(("resting", words, STYLES["fail"]))
    return lines


def show_deliveries(deliveries: list[Delivery], stream: TextIO) -> None:
    """Two lines for each event and sink: what it tells, and what became of it."""
    with screen_on(stream) as console:
        for one in deliveries:
            head = f"{one.event_id[:12]}  {one.sink}  {one.state} since {_at(one.since)}"
            tries = f", {count(one.attempts, 'attempt')}" if one.attempts else ""
            console.print(Text.assemble((head, "bold"), tries))
            console.print(Text(f"  {one.severity}  {one.summary}"))
            if one.why:
                console.print(Text.assemble("  ", ("→ ", "bold"), one.why))


def show_event(event: Told, deliveries: list[Delivery], stream: TextIO) -> None:
    """All of an event, and how it fares."""
    with screen_on(stream) as console:
        console.print(Text(f"{event.kind}  {event.severity}  {_at(event.at)}  {event.node_id or ''}".rstrip()))
        console.print(Text(event.summary))
        console.print(Text(f"event {event.event_id}, {event.body_schema}"))
    show_deliveries(deliveries, stream)
    with screen_on(stream) as console:
        console.print(Text(json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)))


def _at(moment: datetime | None) -> str:
    return to_second(moment) if moment else "never"
