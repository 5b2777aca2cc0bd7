"""The book of alerts as documents: conditions that share a roll-up are one alert, the others one each."""

from collections.abc import Iterable, Mapping, Sequence

from sparkctl.inventory.ranges import natural_sorted
from sparkctl.model.alert import Alert, AlertState
from sparkctl.model.alert_book import Book, Condition, RollUp
from sparkctl.model.printable import clip

_STATES = (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.NEW, AlertState.RESOLVED)


def alerts_of(book: Book, muted: Mapping[str, str]) -> list[Alert]:
    """Every alert of a book, what presses most first; `muted` gives the reason by node, now."""
    members: dict[str, list[Condition]] = {}
    for one in book.conditions.values():
        if one.group is not None:
            members.setdefault(one.group, []).append(one)
    found = [_of_roll_up(each, members.get(each.fingerprint, []), muted) for each in book.roll_ups.values()]
    alone = (one for one in book.conditions.values() if one.group is None)
    return sorted([*found, *(_of_condition(one, muted) for one in alone)], key=_pressing)


def _pressing(alert: Alert) -> tuple[int, int, int, str, str]:
    return (
        _STATES.index(alert.state),
        -alert.severity.rank,
        -len(alert.nodes),
        alert.subject,
        alert.nodes[0],
    )


def _of_condition(one: Condition, muted: Mapping[str, str]) -> Alert:
    problem = one.problem
    return Alert(
        fingerprint=problem.fingerprint,
        kind=problem.kind,
        subject=problem.subject,
        severity=problem.severity,
        state=one.state,
        nodes=[problem.node],
        unseen=[problem.node] if one.unseen and one.resolved_at is None else [],
        rolled_up=False,
        told=one.told is not None,
        flapping=one.flapping,
        muted=_reason([problem.node], muted),
        summary=clip(problem.told()),
        action=problem.action,
        simulated=problem.simulated,
        run_id=one.run_id,
        since=one.since,
        last_seen=one.last_seen,
        resolved_at=one.resolved_at,
        acknowledged=one.acknowledged,
    )


def _of_roll_up(each: RollUp, members: Sequence[Condition], muted: Mapping[str, str]) -> Alert:
    left = [one for one in members if one.resolved_at is None]
    nodes = natural_sorted({one.problem.node for one in left} or set(each.nodes))
    return Alert(
        fingerprint=each.fingerprint,
        kind=each.example.kind,
        subject=each.subject,
        severity=each.severity,
        state=each.state,
        nodes=nodes,
        unseen=natural_sorted({one.problem.node for one in left if one.unseen}),
        rolled_up=True,
        told=True,
        flapping=bool(left) and all(one.flapping for one in left),
        muted=_reason(nodes, muted),
        summary=each.summary,
        action=each.example.action,
        simulated=each.simulated,
        run_id=each.run_id,
        since=each.since,
        last_seen=max((one.last_seen for one in members), default=each.grown_at),
        resolved_at=each.resolved_at,
        acknowledged=each.acknowledged,
    )


def _reason(nodes: Iterable[str], muted: Mapping[str, str]) -> str | None:
    """Why nothing is told, where that is so for all of the nodes."""
    reasons = [muted.get(node) for node in nodes]
    return reasons[0] if all(reason is not None for reason in reasons) else None
