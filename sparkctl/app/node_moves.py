"""Move a node through its life, or enter evidence for it: all that belongs together in one step, or nothing."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.actor import actor
from sparkctl.app.evidence_file import known_kind, reference
from sparkctl.app.node_states import Known, blocked, known, known_partner, state_named
from sparkctl.app.places import Places
from sparkctl.errors import BusyError, RefusedError, UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.lifecycle.machine import APPROVAL, EVIDENCE, Edge, edge_between, edges_from
from sparkctl.lifecycle.standing import waits_for
from sparkctl.model.ledger import EvidenceRef, LedgerEntry, LedgerFact
from sparkctl.model.lifecycle import EVIDENCE_ADDED, MOVED, LifecycleState, Risk, UnitRule
from sparkctl.model.printable import printable
from sparkctl.store.location import folder_trouble, make_state_dir
from sparkctl.store.store import Store

LOCK_NAME = "lifecycle.lock"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Moved:
    """One node that was moved, with the entries that tell it."""

    node_id: str
    left: LifecycleState
    entered: LifecycleState
    entries: list[LedgerEntry]


@contextlib.contextmanager
def deciding(state: Path) -> Iterator[None]:
    """Nobody else decides on a move in this state folder meanwhile; raises BusyError after ten seconds."""
    make_state_dir(state)
    try:
        descriptor = os.open(state / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise folder_trouble(state, error) from error
    try:
        give_up = time.monotonic() + _PATIENCE_S
        while not _locked(descriptor, state):
            if time.monotonic() > give_up:
                raise BusyError(f"another command moves nodes in {state}", hint="try again when it has ended")
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int, state: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise folder_trouble(state, error) from error
    return True


def add_evidence(places: Places, node_id: str, kind: str, path: Path) -> LedgerEntry:
    """Enter a file as evidence for a node; raises UsageError."""
    return enter_evidence(places, node_id, known_kind(kind), reference(path), actor())


def enter_evidence(places: Places, node_id: str, kind: str, ref: EvidenceRef, who: str) -> LedgerEntry:
    """Enter a document of any origin as evidence for a node; raises UsageError when nobody knows the node."""
    fleet = load_fleet(places.fleet)
    with deciding(places.state), Store.open(places.state) as store:
        found = known(fleet, store, node_id)
        return store.ledger.add([evidence_fact(found, kind, ref, who)], datetime.now(UTC))[0]


def evidence_fact(known: Known, kind: str, ref: EvidenceRef, who: str) -> LedgerFact:
    """The fact that there is a document of a node."""
    return LedgerFact(
        kind=EVIDENCE_ADDED,
        node_id=known.node_id,
        serial=known.serial,
        actor=who,
        summary=f"{kind}: {EVIDENCE[kind].words} ({printable(ref.name, 200)})",
        facts={"evidence": kind},
        evidence=[ref],
        simulated=known.simulated,
    )


def move_fact(
    known: Known, left: LifecycleState, edge: Edge, *, reason: str, refs: Sequence[EvidenceRef], who: str
) -> LedgerFact:
    """The fact that a node came into another state, on the evidence that it rests on."""
    return LedgerFact(
        kind=MOVED,
        node_id=known.node_id,
        serial=known.serial,
        actor=who,
        summary=f"{left.value} → {edge.to.value}: {printable(reason, 800)}",
        facts={"from": left.value, "to": edge.to.value, "reason": reason, "phase": edge.phase.value},
        evidence=list(refs),
        simulated=known.simulated,
    )


def move(places: Places, node_id: str, to: str, reason: str, files: Mapping[str, Path]) -> list[Moved]:
    """Move a node on the evidence of files, by kind; raises as `move_on` does, and UsageError for a file."""
    state_named(to)
    return move_on(places, node_id, to, reason=reason, given={kind: reference(path) for kind, path in files.items()})


def move_on(
    places: Places, node_id: str, to: str, *, reason: str, given: Mapping[str, EvidenceRef], who: str | None = None
) -> list[Moved]:
    """Move a node, and the one that is cabled to it where the move takes units whole; the nodes that moved.

    `given` is evidence, by kind, that is entered in the same step; `who` moves [the user of this process]. Raises
    RefusedError when there is no such move, when evidence is missing, or when the unit is in the way, and UsageError
    for words that are no good.
    """
    state, who = state_named(to), who or actor()
    if not reason.strip() or printable(reason, 800) != reason:
        raise UsageError("--reason must be one printable line of at most 800 characters")
    fleet = load_fleet(places.fleet)
    with deciding(places.state), Store.open(places.state) as store:
        found = known(fleet, store, node_id)
        edge = _edge(found, state)
        partner = known_partner(store, found)
        if (why := blocked(found, edge, partner)) is not None:
            raise RefusedError(f"{node_id} cannot move to {state.value}: {why}", hint=_unit_hint(found, edge))
        moving = [(found, edge)]
        if found.partner and partner and edge.unit is UnitRule.TOGETHER and partner.state is found.standing.state:
            moving.append((known(fleet, store, found.partner.node_id), edge))
        facts: list[LedgerFact] = []
        sizes: list[int] = []
        for one, way in moving:
            added = _facts(one, way, reason, given, who)
            facts += added
            sizes.append(len(added))
        entries = iter(store.ledger.add(facts, datetime.now(UTC)))
    return [
        Moved(one.node_id, one.standing.state, way.to, [next(entries) for _ in range(size)])
        for (one, way), size in zip(moving, sizes, strict=True)
    ]


def _edge(found: Known, to: LifecycleState) -> Edge:
    here = found.standing.state
    edge = edge_between(here, to)
    if edge is None:
        ways = ", ".join(dict.fromkeys(each.to.value for each in edges_from(here)))
        raise RefusedError(
            f"{found.node_id} is {here.value}, and no move leads from there to {to.value}",
            hint=f"from {here.value} it can move to: {ways}. See: sparkctl node show {found.node_id}",
        )
    return edge


def _unit_hint(found: Known, edge: Edge) -> str:
    if edge.unit is UnitRule.DISSOLVED:
        return "take the cable out, and the unit out of the inventory; then each of the two goes its own way"
    return f"see what the other one waits for: sparkctl node show {found.partner.node_id if found.partner else ''}"


def _facts(found: Known, edge: Edge, reason: str, given: Mapping[str, EvidenceRef], who: str) -> list[LedgerFact]:
    """What is to be entered for the move of one node; raises RefusedError when evidence is missing."""
    standing = found.standing
    two = edge.risk is Risk.TWO_PERSONS
    counts = {kind for kind in given if not (two and kind == APPROVAL)}
    missing = [kind for kind in waits_for(standing, edge, who) if kind not in counts]
    if missing:
        raise _missing(found, edge, missing, who)
    refs = []
    for need in standing.needs(edge, who):
        ref = given[need.kind] if need.kind in counts else need.held
        if ref is not None:
            refs.append(EvidenceRef(name=f"{need.kind} {ref.name}", sha256=ref.sha256))
    added = [evidence_fact(found, kind, ref, who) for kind, ref in given.items()]
    return [*added, move_fact(found, standing.state, edge, reason=reason, refs=refs, who=who)]


def _missing(found: Known, edge: Edge, missing: Sequence[str], who: str) -> RefusedError:
    words = [f"{kind} ({EVIDENCE[kind].words})" for kind in missing]
    ways = [EVIDENCE[kind].how_for(kind, found.node_id) for kind in missing]
    note = f"; two persons are needed, and {who} is one" if APPROVAL in missing else ""
    left = found.standing.state.value
    return RefusedError(
        f"{found.node_id} cannot move from {left} to {edge.to.value} without {', '.join(words)}{note}",
        hint="; ".join(ways),
    )
