"""What is due to be told, put together: one alert for what became so in the same way, or in one place together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sparkctl.model.alert import AlertEvent, AlertKind, AlertSeverity, AlertState
from sparkctl.model.alert_book import Condition, Place, RollUp, fingerprint_of
from sparkctl.model.alert_turn import Turn
from sparkctl.model.printable import clip

FEWEST_TOGETHER = 2
"""Nodes that went silent in one run, before a place is worth a word."""

Key = tuple[AlertKind, str, AlertSeverity]


def tell(turn: Turn, due: Sequence[Condition], run_id: str) -> None:
    """Tell of conditions that are due: in a roll-up that is open, in a new one, or each by itself."""
    by_key: dict[Key, list[Condition]] = {}
    for one in due:
        by_key.setdefault(_key(one), []).append(one)
    by_age = sorted(turn.roll_ups.values(), key=lambda each: (each.grown_at, each.fingerprint))
    growing = {_key_of(each): each for each in by_age if not each.of_place and _may_grow(turn, each)}
    alone = _told_alone(turn, set(by_key))
    for key, alike in by_key.items():
        if (roll_up := growing.get(key)) is not None:
            _grow(turn, roll_up, alike)
        elif len(alike) + len(alone.get(key, [])) >= turn.rules.roll_up_nodes > 1:
            _roll_up(turn, alike, alone.get(key, []), run_id)
        else:
            for one in alike:
                _open(turn, one)


def tell_places(turn: Turn, places: Sequence[Place], run_id: str) -> None:
    """Tell of places of which every node is silent, and several of them since the same run."""
    fresh = [one for one in turn.unresolved() if _silent(one) and one.told is None and one.muted is None]
    if len(fresh) < FEWEST_TOGETHER:
        return
    silent = {one.problem.node for one in turn.unresolved() if _silent(one)}
    taken: set[str] = set()
    for place in sorted(places, key=lambda each: (-len(each.nodes), each.words)):
        if not place.nodes <= silent:
            continue
        here = [one for one in fresh if one.problem.node in place.nodes and one.problem.fingerprint not in taken]
        counts = Counter(one.run_id for one in here)
        since = max(counts, key=lambda each: (counts[each], each), default="")
        if counts[since] >= FEWEST_TOGETHER:
            together = [one for one in here if one.run_id == since]
            taken.update(one.problem.fingerprint for one in together)
            _roll_up(turn, together, [], run_id, place)


def _silent(condition: Condition) -> bool:
    return condition.problem.kind is AlertKind.UNREPORTED and condition.present


def _key(condition: Condition) -> Key:
    problem = condition.problem
    return problem.kind, problem.subject, problem.severity


def _key_of(roll_up: RollUp) -> Key:
    return roll_up.example.kind, roll_up.example.subject, roll_up.example.severity


def _may_grow(turn: Turn, roll_up: RollUp) -> bool:
    return roll_up.resolved_at is None and _within_window(turn, (turn.at - roll_up.grown_at).total_seconds())


def _within_window(turn: Turn, seconds: float) -> bool:
    return seconds <= turn.rules.roll_up_window_s


def _told_alone(turn: Turn, keys: set[Key]) -> dict[Key, list[Condition]]:
    """Alerts of one node that were told within the window and that nobody has acknowledged, by their key."""
    found: dict[Key, list[Condition]] = {}
    for one in turn.unresolved():
        if one.told_at is None or one.group is not None or one.acknowledged or not one.present:
            continue
        if _key(one) in keys and _within_window(turn, (turn.at - one.told_at).total_seconds()):
            found.setdefault(_key(one), []).append(one)
    return found


def _open(turn: Turn, condition: Condition) -> None:
    after = _told(turn, condition, None)
    turn.note(after, AlertEvent.FLAPPING if after.flapping else AlertEvent.OPENED, AlertState.NEW)


def _told(turn: Turn, condition: Condition, group: str | None) -> Condition:
    after = replace(condition, told=condition.problem.severity, told_at=turn.at, group=group)
    turn.put(after)
    return after


def _grow(turn: Turn, roll_up: RollUp, alike: Sequence[Condition]) -> None:
    """More nodes are worse: whoever acknowledged fewer has not seen this."""
    nodes = [one.problem.node for one in alike]
    for one in alike:
        _told(turn, one, roll_up.fingerprint)
    after = replace(
        roll_up,
        nodes=tuple(sorted({*roll_up.nodes, *nodes})),
        grown_at=turn.at,
        acknowledged=None,
        simulated=roll_up.simulated or any(one.problem.simulated for one in alike),
    )
    turn.put_roll_up(after)
    turn.note_roll_up(after, AlertEvent.GREW, roll_up.state, nodes)


def _roll_up(
    turn: Turn, alike: Sequence[Condition], alone: Sequence[Condition], run_id: str, place: Place | None = None
) -> None:
    members = sorted([*alike, *alone], key=lambda one: one.problem.node)
    example = next((one.problem for one in members if one.problem.words_of == one.problem.node), members[0].problem)
    nodes = tuple(one.problem.node for one in members)
    subject = f"{place.words} is silent" if place else example.subject
    parts = (example.kind.value, subject, example.severity.value, str(members[0].flapping), nodes[0])
    fingerprint = fingerprint_of("roll_up", run_id, *parts)
    roll_up = RollUp(
        fingerprint=fingerprint,
        example=example,
        subject=subject,
        summary=clip(_place_words(place, len(nodes)) if place else example.told(alone=False)),
        severity=example.severity,
        simulated=any(one.problem.simulated for one in members),
        of_place=place is not None,
        nodes=nodes,
        run_id=members[0].run_id if place else run_id,
        since=min(one.since for one in members),
        grown_at=turn.at,
    )
    turn.put_roll_up(roll_up)
    for one in alike:
        _told(turn, one, fingerprint)
    for one in alone:
        after = replace(one, group=fingerprint)
        turn.put(after)
        turn.note(after, AlertEvent.ROLLED_UP, one.state, into=fingerprint)
    flapping = all(one.flapping for one in members)
    turn.note_roll_up(roll_up, AlertEvent.FLAPPING if flapping else AlertEvent.OPENED, AlertState.NEW, nodes)


def _place_words(place: Place | None, together: int) -> str:
    """What is so; why, nobody has seen."""
    assert place is not None  # noqa: S101 - asked of places only
    size = len(place.nodes)
    silent = f"all {size:,} nodes of {place.words} are silent"
    return f"{silent}, since one run" if together == size else f"{silent}, {together:,} of them since one run"
