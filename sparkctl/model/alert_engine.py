"""The engine of alerting: the book, what one run saw, the rules -> what is otherwise now, and what is to be told.

Nothing here reads a clock or a disk. Silence never resolves anything: only a visit that finds a condition gone does.
"""

from collections.abc import Collection
from dataclasses import replace

from sparkctl.model.alert import HAPPENED, Acknowledgement, AlertEvent, AlertKind, AlertState
from sparkctl.model.alert_book import Advance, Book, Condition, RollUp, RunSeen
from sparkctl.model.alert_grouping import tell, tell_places
from sparkctl.model.alert_observing import begun, gone, held_long_enough, not_seen, seen
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.alert_turn import Turn, worst
from sparkctl.model.printable import clip


def advance(book: Book, run: RunSeen, rules: AlertRules) -> Advance:
    """Enter a run into the book; a run that is in it changes nothing."""
    if run.run_id in book.applied:
        return Advance(at=run.at)
    turn = Turn(book, rules, run.at, run.run_id)
    _observe(turn, run)
    _mute(turn, run)
    resolved = _resolved(turn, book)
    _tell_flapping(turn, book)
    _tell_severity(turn)
    tell_places(turn, run.places, run.run_id)
    tell(turn, [one for one in turn.unresolved() if _is_due(one, rules)], run.run_id)
    _tell_resolved(turn, resolved)
    return turn.advance()


def acknowledge(
    book: Book, fingerprints: Collection[str], words: Acknowledgement, fleet: Collection[str] | None = None
) -> Advance:
    """Somebody has taken note of alerts that are open.

    That is the end of what has happened, and of what is only so on nodes that are not in the `fleet` any more, where
    that is known: nobody will visit them again.
    """
    turn = Turn(book, AlertRules(), words.at, None)
    for fingerprint in sorted(fingerprints):
        roll_up = book.roll_ups.get(fingerprint)
        problem = roll_up.example if roll_up else book.conditions[fingerprint].problem
        gone = fleet is not None and _nodes_of(book, fingerprint).isdisjoint(fleet)
        turn.acknowledge(fingerprint, words, over=problem.kind in HAPPENED or gone)
    return turn.advance()


def _nodes_of(book: Book, fingerprint: str) -> set[str]:
    """The nodes on which an alert is so."""
    return {
        one.problem.node
        for name, one in book.conditions.items()
        if fingerprint in (name, one.group) and one.resolved_at is None
    }


def _observe(turn: Turn, run: RunSeen) -> None:
    for fingerprint, problem in run.problems.items():
        known = turn.conditions.get(fingerprint)
        if known is None or known.resolved_at is not None:
            if known is None or problem.kind is not AlertKind.BOOT_END:  # the end of a boot is told once, for ever
                turn.put(begun(problem, run.run_id, run.at, turn.rules, known))
            continue
        after = seen(known, problem, run.at, turn.rules)
        if after is known:
            turn.seen_again.add(fingerprint)
        turn.put(after)
    for fingerprint, look in (*((one, gone) for one in run.cleared), *((one, None) for one in run.unseen)):
        condition = turn.conditions.get(fingerprint)
        if condition is None or condition.resolved_at is not None or fingerprint in run.problems:
            continue
        turn.put(look(condition, run.at, turn.rules) if look else not_seen(condition))


def _mute(turn: Turn, run: RunSeen) -> None:
    for one in turn.unresolved():
        reason = run.muted.get(one.problem.node)
        if reason == one.muted:
            continue
        after = replace(one, muted=reason)
        turn.put(after)
        if reason is not None and one.muted is None and one.told is None:
            turn.note(after, AlertEvent.MUTED, after.state, told=False)


def _resolved(turn: Turn, book: Book) -> list[Condition]:
    """Conditions that this run has resolved."""
    return [
        one
        for name, one in turn.conditions.items()
        if one.resolved_at is not None and book.conditions.get(name) is not one
    ]


def _tell_flapping(turn: Turn, book: Book) -> None:
    """Of what was told before: that it comes and goes, and that it does not any more."""
    of_groups: dict[tuple[str, AlertEvent, bool], list[str]] = {}
    for one in turn.unresolved():
        before = book.conditions.get(one.problem.fingerprint)
        if one.told is None or before is None or before.flapping == one.flapping or not (one.flapping or one.present):
            continue
        event = AlertEvent.FLAPPING if one.flapping else AlertEvent.CALMED
        owner = turn.roll_ups[one.group] if one.group else one
        told = one.muted is None and owner.acknowledged is None
        if one.group is None:
            turn.note(one, event, one.state, told=told)
        else:
            of_groups.setdefault((one.group, event, told), []).append(one.problem.node)
    for (group, event, told), nodes in of_groups.items():
        turn.note_roll_up(turn.roll_ups[group], event, turn.roll_ups[group].state, nodes, told=told)


def _tell_severity(turn: Turn) -> None:
    """Worse than what was told, or less bad."""
    worse: dict[str, list[Condition]] = {}
    better: dict[str, list[str]] = {}
    for one in turn.unresolved():
        severity = one.problem.severity
        if one.told in (None, severity) or one.flapping or not one.present:
            continue
        worsened = one.told is not None and severity.rank > one.told.rank
        if worsened and one.muted is not None:
            continue
        after = replace(one, told=severity)
        if one.group is None:
            after = replace(after, acknowledged=None) if worsened else after
            turn.note(after, AlertEvent.WORSENED if worsened else AlertEvent.EASED, one.state, told=worsened)
        elif worsened:
            worse.setdefault(one.group, []).append(after)
        else:
            better.setdefault(one.group, []).append(one.problem.node)
        turn.put(after)
    for group, members in worse.items():
        roll_up = turn.roll_ups[group]
        after_that = replace(_restated(roll_up, members), acknowledged=None)
        turn.put_roll_up(after_that)
        turn.note_roll_up(after_that, AlertEvent.WORSENED, roll_up.state, [one.problem.node for one in members])
    of_groups = turn.members() if better else {}
    for group, nodes in better.items():
        _ease(turn, turn.roll_ups[group], nodes, of_groups[group])


def _ease(turn: Turn, roll_up: RollUp, nodes: list[str], members: list[Condition]) -> None:
    """Once none of its nodes is as bad any more, as far as somebody was told."""
    if worst(one.told or one.problem.severity for one in members).rank < roll_up.severity.rank:
        after = _restated(roll_up, members)
        turn.put_roll_up(after)
        turn.note_roll_up(after, AlertEvent.EASED, roll_up.state, nodes, told=False)


def _restated(roll_up: RollUp, members: list[Condition]) -> RollUp:
    """A roll-up that is as bad as the worst of these, in the words of one that is."""
    severity = worst(one.told or one.problem.severity for one in members)
    alike = [one.problem for one in members if (one.told or one.problem.severity) is severity]
    # Its own words, if one has them.
    example = min(alike, key=lambda each: (each.severity is not severity, each.words_of != each.node, each.node))
    return replace(roll_up, severity=severity, example=example, summary=clip(example.told(alone=False)))


def _is_due(condition: Condition, rules: AlertRules) -> bool:
    """Whether it is to be told for the first time."""
    if condition.told is not None or condition.muted is not None:
        return False
    return condition.flapping or (condition.present and held_long_enough(condition, rules))


def _tell_resolved(turn: Turn, resolved: list[Condition]) -> None:
    """What was told of is told to be over; what was only muted is noted."""
    shrunk: dict[str, list[str]] = {}
    for one in resolved:
        if one.group is not None:
            shrunk.setdefault(one.group, []).append(one.problem.node)
        elif one.told is not None or one.muted is not None:
            previous = AlertState.NEW if one.told is None else replace(one, resolved_at=None).state
            turn.note(one, AlertEvent.RESOLVED, previous, told=one.told is not None)
    members = turn.members() if shrunk else {}
    for group, nodes in shrunk.items():
        _shrink(turn, turn.roll_ups[group], nodes, members.get(group, []))


def _shrink(turn: Turn, roll_up: RollUp, nodes: list[str], left: list[Condition]) -> None:
    if not left:
        after = replace(roll_up, resolved_at=turn.at)
        turn.put_roll_up(after)
        turn.note_roll_up(after, AlertEvent.RESOLVED, roll_up.state, roll_up.nodes)
        return
    severity = worst(one.problem.severity for one in left)
    after = roll_up if severity is roll_up.severity else replace(roll_up, severity=severity)
    turn.put_roll_up(after)
    turn.note_roll_up(after, AlertEvent.SHRANK, roll_up.state, nodes, told=False)
