"""The trees of reset reasons, and what must hold between the parts of a reset document. Pure.

Every function that begins with `_of_` yields, in words, what cannot be so; nothing for what holds together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from sparkctl.model.reset import Conflict, Observation, Proof, ResetData, Transition
from sparkctl.model.reset_tables import END_WORDS, EXPECTED, INITIATOR_WORDS, PANIC_KINDS, PROVES
from sparkctl.model.reset_words import ANY, Antecedent, Axis, Initiator, ResetDomain, SourceState, Strength, Termination

MOST_BACK = 12
"""How many ends of boots a node tells of at most."""

_POWER = ((Axis.RESET_DOMAIN, "platform_reset.power_lost"), (Axis.INITIATOR, "supply"))
_HEAT = ((Axis.INITIATOR, Initiator.POLICY_THERMAL.value), (Axis.INITIATOR, Initiator.THERMAL_TRIP.value))
VENDOR_REASONS: dict[str, tuple[tuple[Axis, str], ...]] = {
    "PLANNED_REBOOT": ((Axis.TERMINATION, "orderly"),),
    "PLANNED_SHUTDOWN": ((Axis.TERMINATION, "orderly"),),
    "KERNEL_PANIC_OR_OOPS": ((Axis.TERMINATION, "disorderly.panic"),),
    "WATCHDOG_RESET_SUSPECTED": ((Axis.INITIATOR, Initiator.WATCHDOG.value),),
    "POWER_LOSS_OR_HARD_RESET_SUSPECTED": _POWER,
    "FIRMWARE_UPDATE_REBOOT_SUSPECTED": ((Axis.INITIATOR, Initiator.FIRMWARE.value),),
    "UNKNOWN": ((Axis.TERMINATION, ANY),),
}
"""The reason codes of the vendor's reporter 1.1.0, each with the claims of which one must stand for it to be said."""

REDFISH_CAUSES: dict[str, tuple[tuple[Axis, str], ...]] = {
    "OSSoftRestart": ((Axis.TERMINATION, "orderly"), (Axis.TERMINATION, Termination.FORCED.value)),
    "SystemCrash": ((Axis.TERMINATION, "disorderly.panic"),),
    "WatchdogExpired": ((Axis.INITIATOR, Initiator.WATCHDOG.value),),
    "ThermalEvent": _HEAT,
    "PowerEvent": _POWER,
    "PowerButtonPress": ((Axis.INITIATOR, "human_physical"),),
    "Unknown": ((Axis.TERMINATION, ANY),),
}
"""The same for the property LastResetCause of Redfish's ComputerSystem; it has more, which we do not say."""

_WORDS: dict[Axis, type[StrEnum]] = {
    Axis.TERMINATION: Termination,
    Axis.RESET_DOMAIN: ResetDomain,
    Axis.INITIATOR: Initiator,
}
LEAVES: dict[Axis, tuple[str, ...]] = {axis: tuple(sorted(words)) for axis, words in _WORDS.items()}
"""The leaves of each axis, sorted."""


def is_under(path: str, branch: str) -> bool:
    """Whether a path is this branch, or lies under it; everything lies under `any`."""
    return branch in (ANY, path) or path.startswith(f"{branch}.")


def leaves_under(axis: Axis, path: str) -> tuple[str, ...]:
    """The leaves that a claim leaves possible; none for a path that is not in the tree."""
    return tuple(leaf for leaf in LEAVES[axis] if is_under(leaf, path))


def claim_of(transition: Transition, axis: Axis) -> str:
    """What is claimed on one axis."""
    claim: str = getattr(transition.claims, axis)
    return claim


def open_of(transition: Transition, axis: Axis) -> list[str]:
    """The leaves of one axis that are not excluded."""
    leaves: list[str] = getattr(transition.open, axis)
    return leaves


def strength_of(transition: Transition, axis: Axis) -> Strength:
    """How well the claim on one axis is founded."""
    strength: Strength = getattr(transition.strength, axis)
    return strength


def contradictions(data: ResetData, *, back: int | None, running: str | None) -> Iterator[str]:
    """What in a document cannot be so.

    `back` is the transition that was asked for, 0 for the newest, None for all. `running` is the boot in which the
    document was made, by its own envelope; where that is no boot id, nothing is compared with it.
    """
    yield from _of_order(data.transitions, back)
    yield from _of_boots(data, running)
    yield from _of_observations(data)
    seen = {one.id: one for one in data.observations}
    for transition in data.transitions:
        for words in _of_transition(transition, seen):
            yield f"transition {transition.index}: {words}"


def _of_order(transitions: Sequence[Transition], back: int | None) -> Iterator[str]:
    indexes = [one.index for one in transitions]
    wanted = [-back] if back is not None else [-number for number in range(len(indexes))]
    if not indexes or indexes != wanted or len(indexes) > MOST_BACK:
        found = ", ".join(map(str, indexes[:5])) or "none"
        yield f"the transitions are not those that were asked for, newest first: {found}"


def _of_boots(data: ResetData, running: str | None) -> Iterator[str]:
    """A boot ends once, in the boot after it; the newest transition leads into the boot that runs."""
    transitions = data.transitions
    ended = [one.from_boot_id for one in transitions if one.from_boot_id is not None]
    if len(set(ended)) != len(ended) or any(one.from_boot_id == one.to_boot_id is not None for one in transitions):
        yield "a boot ends twice, or into itself"
    for newer, older in pairwise(transitions):
        if newer.from_boot_id and older.to_boot_id and newer.from_boot_id != older.to_boot_id:
            yield f"transition {older.index} does not lead into the boot that transition {newer.index} comes from"
    now = _dashed(running)
    told = [data.witnesses.boot_id, *(one.to_boot_id for one in transitions[:1] if one.index == 0)]
    if now is not None and any(boot_id not in (None, now) for boot_id in told):
        yield "it is not of the boot that its envelope names as the running one"


def _dashed(boot_id: str | None) -> str | None:
    digits = (boot_id or "").replace("-", "").lower()
    if len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _of_observations(data: ResetData) -> Iterator[str]:
    if len({one.id for one in data.observations}) != len(data.observations):
        yield "two observations have one id"
    read = {one.source for one in data.sources if one.state in (SourceState.READ, SourceState.PARTIAL)}
    if len({one.source for one in data.sources}) != len(data.sources):
        yield "a source is listed twice"
    for one in data.observations:
        if one.source not in read:
            yield f"observation {one.id} is of the source {one.source}, which was not read"


def _of_transition(transition: Transition, seen: Mapping[str, Observation]) -> Iterator[str]:
    for axis in Axis:
        yield from _of_axis(transition, axis)
    for proof in transition.proof:
        yield from _of_proof(proof, transition, seen)
    for conflict in transition.conflicts:
        yield from _of_conflict(conflict, transition)
    yield from _of_antecedents(transition, seen)
    yield from _of_flat(transition, seen)
    if transition.flat.words not in words_of(transition, seen):
        yield f"{transition.flat.words!r} is not what its claims are in words"


def _of_axis(transition: Transition, axis: Axis) -> Iterator[str]:
    """The claim of one axis stands in its tree, what is open lies under it, and what is not known has a reason."""
    claim, leaves, strength = claim_of(transition, axis), open_of(transition, axis), strength_of(transition, axis)
    possible = leaves_under(axis, claim)
    if not possible:
        yield f"the claim {claim} is not in the tree of the {axis}"
        return
    if not leaves or not set(leaves) <= set(possible) or len(set(leaves)) != len(leaves):
        yield f"what is open on the {axis} are not leaves under the claim {claim}"
    if (claim == ANY) != (strength is Strength.S0):
        yield f"the claim {claim} on the {axis} cannot be of the strength {strength}"
    if claim == ANY and not any(reason.axis is axis for reason in transition.unknown_reasons):
        yield f"no reason is given why the {axis} is not known"
    yield from _of_founding(transition, axis)


def _of_founding(transition: Transition, axis: Axis) -> Iterator[str]:
    """A claim is what its proofs prove, as strongly as they do; in a conflict there is none."""
    claim, strength = claim_of(transition, axis), strength_of(transition, axis)
    proofs = [one for one in transition.proof if one.axis is axis and one.strength is not Strength.S0]
    in_conflict = any(one.axis is axis for one in transition.conflicts)
    if claim == ANY:
        if proofs and not in_conflict:
            yield f"the {axis} is proven, but nothing is claimed"
        return
    if in_conflict:
        yield f"the {axis} is claimed in spite of a conflict"
    if max((one.strength for one in proofs if one.path == claim), default=Strength.S0) is not strength:
        yield f"no proof of the strength {strength} is given for the claim {claim}"
    for proof in proofs:
        if not is_under(claim, proof.path):
            yield f"the {axis} is claimed to be {claim}, and proven to be {proof.path}"


def _of_proof(proof: Proof, transition: Transition, seen: Mapping[str, Observation]) -> Iterator[str]:
    """A proof rests on things seen in the boots of its transition, or on the claim of how it ended."""
    if proof.rule not in PROVES:
        yield f"there is no rule {proof.rule}"
    elif (proof.rule.partition(".")[0], PROVES[proof.rule]) != (proof.axis, proof.path):
        yield f"the rule {proof.rule} does not prove {proof.path} on the {proof.axis}"
    boots = {transition.from_boot_id, transition.to_boot_id} - {None}
    for name in proof.premises:
        if name not in seen:
            yield f"the rule {proof.rule} rests on {name}, which is not there"
        elif seen[name].boot_id not in boots:
            yield f"the rule {proof.rule} rests on {name}, which is of neither boot"
    of_a_claim = proof.axis is not Axis.TERMINATION and transition.claims.termination != ANY
    if not proof.premises and not of_a_claim:
        yield f"the rule {proof.rule} rests on nothing"
    present = _tokens(transition, seen)
    for token in proof.absent:
        if token in present:
            yield f"the rule {proof.rule} requires that {token} is absent, and it is there"


def _tokens(transition: Transition, seen: Mapping[str, Observation]) -> set[str]:
    """`from:KIND` and `to:KIND` of all that this transition names of its two boots."""
    named = [name for proof in transition.proof for name in proof.premises]
    named += [name for antecedent in transition.antecedents for name in antecedent.observations]
    found = [seen[name] for name in named if name in seen and seen[name].boot_id is not None]
    sides = (("from", transition.from_boot_id), ("to", transition.to_boot_id))
    return {f"{side}:{one.kind}" for one in found for side, boot_id in sides if one.boot_id == boot_id}


def _of_conflict(conflict: Conflict, transition: Transition) -> Iterator[str]:
    asserting = [one for one in transition.proof if one.axis is conflict.axis and one.strength is not Strength.S0]
    paths, rules = {one.path for one in asserting}, {one.rule for one in asserting}
    if not (set(conflict.paths) <= paths and set(conflict.rules) <= rules and len(set(conflict.rules)) > 1):
        yield f"the conflict on the {conflict.axis} is not one between its proofs"
    deepest = max(conflict.paths, key=lambda path: path.count("."))
    if all(is_under(deepest, path) for path in conflict.paths):
        yield f"the paths of the conflict on the {conflict.axis} do not contradict each other"


def _of_antecedents(transition: Transition, seen: Mapping[str, Observation]) -> Iterator[str]:
    for one in transition.antecedents:
        missing = [name for name in one.observations if name not in seen]
        if missing:
            yield f"the antecedent {one.kind} names {missing[0]}, which is not there"
        boots = {seen[name].boot_id for name in one.observations if name in seen}
        if one.before_end_s is not None and (transition.from_boot_id is None or transition.from_boot_id not in boots):
            yield f"the antecedent {one.kind} came before the end of a boot that it is not of"


def _of_flat(transition: Transition, seen: Mapping[str, Observation]) -> Iterator[str]:
    """The few words for people and other programs say no more than the claims."""
    flat, ended = transition.flat, transition.claims.termination
    if all(claim_of(transition, axis) == ANY for axis in Axis):
        said = (flat.expected, flat.data_at_risk, flat.vendor_reason, flat.redfish_last_reset_cause)
        if said != ("unknown", "unknown", "UNKNOWN", "Unknown"):
            yield "nothing is claimed, but its few words say something"
    for codes, code in ((VENDOR_REASONS, flat.vendor_reason), (REDFISH_CAUSES, flat.redfish_last_reset_cause)):
        if not any(is_under(claim_of(transition, axis), branch) for axis, branch in codes.get(code, ())):
            yield f"{code} does not follow from the claims"
    if flat.expected not in ("unknown", expected_of(open_of(transition, Axis.INITIATOR))):
        yield f"that it was expected ({flat.expected}) does not hold for all that is open on the initiator"
    if flat.expected == "no" and flat.vendor_reason.startswith("PLANNED"):
        yield f"{flat.vendor_reason} is said of an end that nobody wanted"
    if flat.data_at_risk not in ("unknown", _at_risk(transition, seen)):
        yield f"whether data is at risk does not follow from the claim {ended}"


def words_of(transition: Transition, seen: Mapping[str, Observation]) -> set[str]:
    """The claims in words, as they may be said: a panic with the words that the kernel had for it, or without them."""
    ended, by_whom = transition.claims.termination, _nearest(INITIATOR_WORDS, transition.claims.initiator)
    base = _nearest(END_WORDS, ended) or END_WORDS[ANY]
    found = {base}
    if is_under(ended, "disorderly.panic"):
        premises = [name for proof in transition.proof if proof.axis is Axis.TERMINATION for name in proof.premises]
        panics = [seen[name].value for name in premises if name in seen and seen[name].kind in PANIC_KINDS]
        found |= {f"{base}: {value}" for value in panics if value}
    return {f"{words}; {by_whom}" for words in found} if by_whom else found


def _nearest(table: Mapping[str, str], path: str) -> str | None:
    """The words of a path, or of the nearest branch above it."""
    while path not in table and "." in path:
        path = path.rpartition(".")[0]
    return table.get(path)


def expected_of(initiators: Iterable[str]) -> str:
    """Whether somebody wanted an end that one of these leaves set off: only where all of them say the same."""
    told = {EXPECTED.get(leaf, "unknown") for leaf in initiators}
    return told.pop() if len(told) == 1 else "unknown"


def _at_risk(transition: Transition, seen: Mapping[str, Observation]) -> str:
    """What was written last may be lost after a disorderly end.

    It is safe after an orderly one whose proof has a root that was found clean, if no service was killed on the way.
    """
    ended = transition.claims.termination
    if is_under(ended, "disorderly"):
        return "yes"
    premises = {name for proof in transition.proof if proof.axis is Axis.TERMINATION for name in proof.premises}
    is_clean = any(seen[name].kind == "root_clean" for name in premises if name in seen)
    is_killed = any(one.kind is Antecedent.STOP_TIMEOUT for one in transition.antecedents)
    return "no" if is_under(ended, "orderly") and is_clean and not is_killed else "unknown"
