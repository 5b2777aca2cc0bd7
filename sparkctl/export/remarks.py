"""What inventories have no field for, in words: how it is with a node, and what is not known of it."""

from datetime import UTC, datetime

from sparkctl.export.subject import Subject, iso


def description(subject: Subject) -> str:
    """What a CMDB has no field for: how it is with the node, and what is not known of it."""
    last = subject.standing.last
    parts = ["Simulated, not a real machine."] if subject.simulated else []
    parts.append(f"Key {subject.key.value} from {subject.key.source}.")
    parts.append(f"Last visit {iso(last.ts)}: {last.status}." if last else "Never visited.")
    if subject.facts_at:
        parts.append(f"Facts seen {iso(subject.facts_at)}.")
    if subject.never_collected:
        parts.append(f"Never collected: {', '.join(subject.never_collected)}.")
    if subject.stale:
        parts.append(f"Too old to tell: {', '.join(subject.stale)}.")
    if subject.gaps:
        parts.append(f"{len(subject.gaps)} fields could not be read.")
    return " ".join(parts)


def recency(moment: datetime) -> str:
    """A moment as ServiceNow writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
