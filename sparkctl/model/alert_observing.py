"""One condition and one look at it: how it begins, goes on, comes and goes, and ends."""

from dataclasses import replace
from datetime import datetime

from sparkctl.model.alert_book import Condition, Problem
from sparkctl.model.alert_rules import AlertRules, HoldRule


def begun(problem: Problem, run_id: str, at: datetime, rules: AlertRules, earlier: Condition | None) -> Condition:
    """A condition that was not there, or not any more; of an earlier time it keeps the score of its changes."""
    fresh = Condition(problem=problem, run_id=run_id, since=at, last_seen=at, flaps_at=at)
    if earlier is None:
        return fresh
    then = min(earlier.flaps_at, at)
    return _settled(_flipped(replace(fresh, flaps=earlier.flaps, flaps_at=then), at, rules), at, rules)


def seen(condition: Condition, problem: Problem, at: datetime, rules: AlertRules) -> Condition:
    """It is so (still, or again); the same object where nothing is new but that."""
    now = condition
    if now.unseen:
        now = replace(now, unseen=False)
    if now.clears:
        now = _flipped(replace(now, clears=0, clear_since=None), at, rules)
    if now.problem.severity is not problem.severity:
        now = _flipped(now, at, rules)
    if (now.problem.severity, now.problem.subject) != (problem.severity, problem.subject):
        now = replace(now, problem=problem)
    if now.told is None:
        # A clock that was set back would have us wait for as long.
        now = replace(now, visits=now.visits + 1, since=min(now.since, at))
    now = _settled(now, at, rules)
    return now if now is condition else replace(now, last_seen=at)


def gone(condition: Condition, at: datetime, rules: AlertRules) -> Condition:
    """It is not so; resolved once that is so long enough, and at once where nobody was told of it."""
    now = condition if condition.clears else _flipped(condition, at, rules)
    since = min(now.clear_since or at, at)
    now = _settled(replace(now, clears=now.clears + 1, clear_since=since, unseen=False), at, rules)
    if now.flapping:
        return now
    recovery = rule_of(now, rules).recovery
    if now.told is None or recovery.over(now.clears, (at - since).total_seconds()):
        return replace(now, resolved_at=at)
    return now


def not_seen(condition: Condition) -> Condition:
    """The visit could not tell."""
    return condition if condition.unseen else replace(condition, unseen=True)


def held_long_enough(condition: Condition, rules: AlertRules) -> bool:
    """Whether it was seen so often, or over so long a time, that it is to be told."""
    seconds = (condition.last_seen - condition.since).total_seconds()
    return rule_of(condition, rules).telling.over(condition.visits, seconds)


def rule_of(condition: Condition, rules: AlertRules) -> HoldRule:
    """How long it is held down."""
    problem = condition.problem
    return rules.hold_of(problem.kind, problem.scope, problem.severity)


def _flipped(condition: Condition, at: datetime, rules: AlertRules) -> Condition:
    return replace(condition, flaps=_score(condition, at, rules) + 1, flaps_at=at)


def _settled(condition: Condition, at: datetime, rules: AlertRules) -> Condition:
    """Flapping or not, by its score now."""
    now = condition if condition.flaps_at <= at else replace(condition, flaps_at=at)
    score = _score(now, at, rules)
    if not now.flapping and score >= rules.flapping.above:
        return replace(now, flapping=True)
    if now.flapping and score < rules.flapping.calm_below:
        return replace(now, flapping=False)
    return now


def _score(condition: Condition, at: datetime, rules: AlertRules) -> float:
    return rules.flapping.decayed(condition.flaps, (at - condition.flaps_at).total_seconds())
