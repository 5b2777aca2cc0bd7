"""Alerts on the screen, and a day of them as text that a mail can carry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

from rich.padding import Padding
from rich.text import Text

from sparkctl.model.alert import HAPPENED, Alert, AlertChange, AlertDigest, AlertHistory, AlertState, Mute
from sparkctl.model.durations import told_age
from sparkctl.report.screen import STYLES, screen_on, table
from sparkctl.report.words import SIMULATED, count, names, to_second

SHORT = 8
"""Characters of a fingerprint that are shown."""

_TITLES = {
    AlertState.OPEN: ("Open", "fail"),
    AlertState.ACKNOWLEDGED: ("Acknowledged", "warn"),
    AlertState.NEW: ("Seen, and not told: held down, or muted", "unknown"),
    AlertState.RESOLVED: ("Resolved", "pass"),
}


def show_alerts(alerts: Sequence[Alert], mutes: Sequence[Mute], now: datetime, stream: TextIO) -> None:
    """Alerts by their state, what presses most first; then who is muted."""
    with screen_on(stream) as console:
        console.print(_totals(alerts))
        for state, (title, look) in _TITLES.items():
            if alike := [alert for alert in alerts if alert.state is state]:
                rows = table(console, title, look)
                for alert in alike:
                    rows.add_row(Text(names(alert.nodes), "bold"), _lines(alert, now))
                console.print(Padding(rows, (0, 0, 0, 2)))
        if mutes:
            console.print()
            console.print(Text("Muted now", style="bold"))
        for mute in mutes:
            console.print(Padding(Text(mute_words(mute)), (0, 0, 0, 2)))


def _totals(alerts: Sequence[Alert]) -> Text:
    counts = [(sum(alert.state is state for alert in alerts), state.value) for state in _TITLES]
    words = ", ".join(f"{number:,} {state}" for number, state in counts if number)
    line = Text.assemble((count(len(alerts), "alert"), "bold"), f": {words}" if words else "")
    if any(alert.simulated for alert in alerts):
        line.append(f"  {SIMULATED}", style="bold cyan")
    return line


def _lines(alert: Alert, now: datetime) -> Text:
    look = STYLES[alert.severity.value]
    head = Text.assemble((alert.fingerprint[:SHORT], "dim"), "  ", (_what(alert), look), f"  since {_age(alert, now)}")
    for mark in _marks(alert):
        head.append(f"  {mark}", style="bold")
    lines = [head]
    if alert.summary != _what(alert):
        lines.append(Text(alert.summary))
    if alert.unseen:
        lines.append(Text(_not_seen(alert), STYLES["unknown"]))
    if alert.acknowledged is not None:
        lines.append(Text(_taken(alert), "dim"))
    elif alert.action is not None and alert.state is not AlertState.RESOLVED:
        lines.append(Text.assemble(("→ ", "bold"), alert.action))
    return Text("\n").join(lines)


def _what(alert: Alert | AlertChange) -> str:
    if alert.kind in HAPPENED or alert.subject == alert.summary:
        return alert.subject
    return f"{alert.subject} {alert.severity.value}" if alert.kind.value == "check" else f"{alert.kind} {alert.subject}"


def _age(alert: Alert, now: datetime) -> str:
    end = alert.resolved_at or now
    lasted = told_age(max((end - alert.since).total_seconds(), 0))
    return f"{to_second(alert.since)}, for {lasted}"


def _marks(alert: Alert) -> list[str]:
    return [
        *(["flapping"] if alert.flapping else []),
        *([f"muted: {alert.muted}"] if alert.muted is not None and alert.state is not AlertState.RESOLVED else []),
    ]


def _not_seen(alert: Alert) -> str:
    who = "" if len(alert.unseen) == len(alert.nodes) else f" on {names(alert.unseen)}"
    return f"not seen since {to_second(alert.last_seen)}{who}: the last visit could not tell"


def _taken(alert: Alert) -> str:
    taken = alert.acknowledged
    assert taken is not None  # noqa: S101 - asked of acknowledged ones only
    return f"acknowledged by {taken.by}, {to_second(taken.at)}" + (f": {taken.note}" if taken.note else "")


def mute_words(mute: Mute) -> str:
    """Who is muted until when, and why."""
    name = f"#{mute.number}" if mute.number is not None else "window"
    by = f", by {mute.by}" if mute.by else ""
    who = f"{mute.selector} ({count(len(mute.nodes), 'node')})"
    return f"{name}  {who} until {to_second(mute.ends)}: {mute.reason}{by}"


def show_history(history: AlertHistory, now: datetime, stream: TextIO) -> None:
    """One alert, and all that happened to it, oldest first."""
    alert = history.alert
    with screen_on(stream) as console:
        console.print(_totals([alert]))
        console.print(Text(names(alert.nodes), "bold"))
        console.print(Padding(_lines(alert, now), (0, 0, 1, 2)))
        console.print(Text.assemble(("fingerprint ", "dim"), alert.fingerprint))
        console.print(Text.assemble(("first run   ", "dim"), alert.run_id))
        rows = table(console, count(len(history.changes), "change"), "pass")
        for change in history.changes:
            rows.add_row(Text(to_second(change.at)), change_words(change))
        console.print(Padding(rows, (0, 0, 0, 2)))


def change_words(change: AlertChange) -> Text:
    """What happened, on which nodes, in which run or by whom."""
    source = f"run {change.run_id}" if change.run_id else f"by {change.by}"
    line = Text.assemble((change.event.value.replace("_", " "), "bold"), f"  {names(change.nodes)}  {source}")
    if change.into is not None:
        line.append(f", goes on as {change.into[:SHORT]}")
    if change.note is not None:
        line.append(f": {change.note}")
    if not change.told:
        line.append("  (not told)", style="dim")
    return line


def write_digest(digest: AlertDigest, stream: TextIO) -> None:
    """Plain text without colours, in lines that a mail can carry."""
    title = f"Alerts from {to_second(digest.since)} to {to_second(digest.until)}"
    stream.write(title + (f"  {SIMULATED}\n" if digest.simulated else "\n"))
    for line in _coverage(digest):
        stream.write(line + "\n")
    parts = (
        ("New", digest.new),
        ("Still open", digest.open),
        ("Resolved", digest.resolved),
        ("Flapping", digest.flapping),
        ("Muted", digest.muted),
        ("Not seen since", digest.not_seen),
    )
    for name, alerts in parts:
        stream.write(f"\n{name}: {len(alerts) or 'none'}\n")
        for alert in alerts:
            for line in _digest_lines(name, alert, digest.until):
                stream.write(f"  {line}\n")


def _coverage(digest: AlertDigest) -> Iterable[str]:
    if not digest.runs:
        yield "No run in this time: nothing was looked at, and nothing is known of it."
    for run in digest.runs:
        cut = f", {run.interrupted} interrupted" if run.interrupted else ""
        share = f"{run.reported / run.asked:.1%} of {run.asked:,} visits reported" if run.asked else "nobody was asked"
        yield f"{run.kind}: {count(run.runs, 'run')}{cut}, {share}"
    if digest.unvisited:
        missing = f"{count(len(digest.unvisited), 'node')} of {digest.nodes:,}"
        yield f"Not visited at all: {missing}: {names(digest.unvisited)}"


def _digest_lines(part: str, alert: Alert, now: datetime) -> Iterable[str]:
    marks = "".join(f" [{mark}]" for mark in (alert.state.value, *_marks(alert)) if mark != AlertState.OPEN.value)
    yield f"{alert.fingerprint[:SHORT]}  {names(alert.nodes)}  {_what(alert)}{marks}"
    yield f"          since {_age(alert, now)}"
    if alert.summary != _what(alert):
        yield f"          {alert.summary}"
    if part == "Not seen since":
        yield f"          {_not_seen(alert)}"
    if alert.acknowledged is not None:
        yield f"          {_taken(alert)}"


def show_changes(changes: Sequence[AlertChange], stream: TextIO) -> None:
    """Changes, one a line."""
    with screen_on(stream) as console:
        for change in changes:
            console.print(Text.assemble((change.fingerprint[:SHORT], "dim"), "  ", change_words(change)))
