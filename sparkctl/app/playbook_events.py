"""What happened to a run of a playbook, as events for sinks: the records that are of the whole run, or ask a person."""

from collections.abc import Iterable

from sparkctl.model.event import EventKind, EventSeverity, Told, told
from sparkctl.model.journal import Asked, Closed, Held, JournalEntry, Opened, Outcome, Released
from sparkctl.model.plan import Plan


def of_entries(entries: Iterable[JournalEntry], plan: Plan) -> list[Told]:
    """The events of those records that are told."""
    return [event for entry in entries if (event := of_entry(entry, plan)) is not None]


def of_entry(entry: JournalEntry, plan: Plan) -> Told | None:
    """The event of a record, whose body is the record; None for one that is not told."""
    said = _said(entry)
    if said is None:
        return None
    severity, words = said
    return told(
        EventKind.PLAYBOOK,
        entry.canonical.decode(),
        severity=severity,
        at=entry.at,
        summary=f"{plan.playbook} {plan.run_id}: {words}",
        node_id=entry.event.node_id if isinstance(entry.event, Asked) else None,
        simulated=plan.simulated,
    )


def _said(entry: JournalEntry) -> tuple[EventSeverity, str] | None:
    event = entry.event
    if isinstance(event, Opened):
        return EventSeverity.INFO, f"begun, approved by {', '.join(event.approved_by) or 'nobody, which it needs not'}"
    if isinstance(event, Asked):
        return EventSeverity.WARNING, f"{event.node_id}, {event.step}: {event.question}"
    if isinstance(event, Held):
        return EventSeverity.ERROR, f"held: {event.why}"
    if isinstance(event, Released):
        return EventSeverity.INFO, f"released by {event.by}: {event.why}"
    if isinstance(event, Closed):
        bad = event.outcome is Outcome.FAILED
        return EventSeverity.ERROR if bad else EventSeverity.INFO, f"over, {event.outcome.value}: {event.summary}"
    return None
