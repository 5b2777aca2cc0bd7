"""From a window to claims: every calibrated rule that holds asserts, and what cannot both be true nobody does. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from diag.reset.evidence import Seen
from diag.reset.rules import RULES, Rule
from diag.reset.window import Window
from diag.reset.words import Axis, Initiator, ResetDomain, Strength, Termination

ANY = "any"
_TREES = ((Axis.TERMINATION, Termination), (Axis.RESET_DOMAIN, ResetDomain), (Axis.INITIATOR, Initiator))
LEAVES: dict[str, tuple[str, ...]] = {
    axis: tuple(sorted(value for name, value in vars(words).items() if not name.startswith("_")))
    for axis, words in _TREES
}
"""The leaves of each axis."""


@dataclass(frozen=True)
class Held:
    """A rule that holds, how strongly (S0: it is not calibrated and asserts nothing), and what it rests on."""

    rule: Rule
    strength: str
    premises: tuple[Seen, ...]


@dataclass(frozen=True)
class Verdict:
    """What is said of one axis: the claim, its strength, the leaves left open, and what would contradict itself."""

    axis: str
    claim: str
    strength: str
    open: tuple[str, ...]
    held: tuple[Held, ...]
    conflict: tuple[Held, ...] = ()


def correlate(window: Window) -> dict[str, Verdict]:
    """A verdict for each axis; the termination first, since others may rest on it."""
    verdicts: dict[str, Verdict] = {}
    for axis, _ in _TREES:
        claims = claims_in(verdicts)
        held = [held for rule in RULES if rule.axis == axis and (held := _holds(rule, window, claims)) is not None]
        verdicts[axis] = _verdict(axis, held)
    return verdicts


@dataclass(frozen=True)
class Hindered:
    """A rule that would assert, were it not for what was seen against it, or for places where nobody could look."""

    rule: Rule
    required: tuple[Seen, ...]
    against: tuple[Seen, ...]
    places: tuple[str, ...]


def hindered(axis: str, window: Window, claims: Collection[str]) -> list[Hindered]:
    """The rules of an axis of which all that they require was seen, and which do not hold all the same.

    `claims` are what other axes claim, as `claims_in` has it.
    """
    found = []
    for rule in RULES:
        required = _premises(rule, window, claims) if rule.axis == axis and rule.calibrated else None
        against = tuple(window.seen[token] for token in rule.forbidden if token in window.seen)
        places = tuple(place for place in rule.coverage if place not in window.covered)
        if required is not None and (against or places):
            found.append(Hindered(rule, tuple(required), against, places))
    return found


def is_under(path: str, branch: str) -> bool:
    """Whether a path is this branch, or lies under it."""
    return branch in (ANY, path) or path.startswith(f"{branch}.")


def claims_in(verdicts: dict[str, Verdict]) -> dict[str, str]:
    """What is claimed, as the tokens that rules may require, and how strongly."""
    return {f"claim:{path}": verdict.strength for verdict in verdicts.values() for path in upwards(verdict.claim)}


def _holds(rule: Rule, window: Window, claims: dict[str, str]) -> Held | None:
    if any(token in window.seen for token in rule.forbidden) or not window.covered.issuperset(rule.coverage):
        return None
    premises = _premises(rule, window, claims)
    if premises is None:
        return None
    others = [window.seen[token] for token in rule.corroborating if token in window.seen]
    sources = {one.source for one in premises if one not in others}
    beside = [one for one in others if one.source not in sources]
    is_strong = beside and window.covered.issuperset(rule.strong_where)
    # What rests on another claim is no stronger than that.
    bounds = [claims[token] for group in rule.required for token in group if token in claims]
    strength = min([Strength.S3 if is_strong else rule.strength, *bounds])
    return Held(rule, strength if rule.calibrated else Strength.S0, tuple(dict.fromkeys([*premises, *beside])))


def _premises(rule: Rule, window: Window, claims: Collection[str]) -> list[Seen] | None:
    """What was seen of each group that a rule requires, None where nothing was of one."""
    premises: list[Seen] = []
    for group in rule.required:
        found = [window.seen[token] for token in group if token in window.seen]
        if not found and not any(token in claims for token in group):
            return None
        premises += found
    return premises


def _verdict(axis: str, held: list[Held]) -> Verdict:
    asserting = [one for one in held if one.rule.calibrated]
    paths = {one.rule.path for one in asserting}
    deepest = max(paths, key=lambda path: path.count("."), default=ANY)
    if any(not is_under(deepest, path) for path in paths):
        return Verdict(axis, ANY, Strength.S0, LEAVES[axis], tuple(held), tuple(asserting))
    strength = max((one.strength for one in asserting if one.rule.path == deepest), default=Strength.S0)
    leaves = tuple(leaf for leaf in LEAVES[axis] if is_under(leaf, deepest))
    return Verdict(axis, deepest, strength, leaves, tuple(held))


def upwards(path: str) -> Iterable[str]:
    """A path and all branches above it."""
    parts = path.split(".")
    return (".".join(parts[:length]) for length in range(len(parts), 0, -1))
