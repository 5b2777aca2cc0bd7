"""What happened to an alert, and what became of alerts over some time, as events."""

from sparkctl.inventory.ranges import fold
from sparkctl.model.alert import AlertChange, AlertDigest, AlertEvent, AlertKind, AlertSeverity
from sparkctl.model.event import EventKind, EventSeverity, Told, told

_BETTER = frozenset({AlertEvent.RESOLVED, AlertEvent.EASED, AlertEvent.SHRANK, AlertEvent.ACKNOWLEDGED})


def of_change(change: AlertChange) -> Told:
    """The event of a change of an alert, whose body is the change."""
    what = change.summary if change.subject in change.summary else f"{change.subject}: {change.summary}"
    return told(
        EventKind.ALERT,
        change.model_dump_json(),
        severity=_severity(change),
        at=change.at,
        summary=f"{change.event}: {fold(change.nodes)}: {what}",
        node_id=change.nodes[0] if len(change.nodes) == 1 else None,
        simulated=change.simulated,
    )


def of_digest(digest: AlertDigest) -> Told:
    """The event of a digest, whose body is the digest."""
    counts = ((digest.new, "new"), (digest.open, "still open"), (digest.resolved, "resolved"), (digest.muted, "muted"))
    words = ", ".join(f"{len(found)} {word}" for found, word in counts if found) or "nothing"
    unseen = f"; {len(digest.unvisited)} of {digest.nodes} nodes were not visited" if digest.unvisited else ""
    pressing = digest.new or digest.open or digest.unvisited
    return told(
        EventKind.DIGEST,
        digest.model_dump_json(),
        severity=EventSeverity.WARNING if pressing else EventSeverity.INFO,
        at=digest.until,
        summary=f"alerts since {digest.since:%Y-%m-%d %H:%M} UTC: {words}{unseen}",
        simulated=digest.simulated,
    )


def _severity(change: AlertChange) -> EventSeverity:
    if change.event in _BETTER:
        return EventSeverity.INFO
    if change.kind is AlertKind.REFUSED:
        return EventSeverity.CRITICAL
    return EventSeverity.ERROR if change.severity is AlertSeverity.FAIL else EventSeverity.WARNING
