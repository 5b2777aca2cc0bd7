"""What happened to an alert, as an event."""

from sparkctl.model.alert import AlertChange, AlertEvent, AlertKind, AlertSeverity
from sparkctl.model.event import EventKind, EventSeverity, Told, told

_BETTER = frozenset({AlertEvent.RESOLVED, AlertEvent.EASED, AlertEvent.SHRANK, AlertEvent.ACKNOWLEDGED})


def of_change(change: AlertChange) -> Told:
    """The event of a change of an alert, whose body is the change."""
    return told(
        EventKind.ALERT,
        change.model_dump_json(),
        severity=_severity(change),
        at=change.at,
        summary=f"{change.event}: {change.summary}",
        node_id=change.nodes[0] if len(change.nodes) == 1 else None,
        simulated=change.simulated,
    )


def _severity(change: AlertChange) -> EventSeverity:
    if change.event in _BETTER:
        return EventSeverity.INFO
    if change.kind is AlertKind.REFUSED:
        return EventSeverity.CRITICAL
    return EventSeverity.ERROR if change.severity is AlertSeverity.FAIL else EventSeverity.WARNING
