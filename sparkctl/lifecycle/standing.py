"""Where a node stands: the fold of its entries in the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sparkctl.lifecycle.machine import APPROVAL, EVIDENCE, STATES, Edge, edge_between
from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.lifecycle import CERTIFICATE_ISSUED, EVIDENCE_ADDED, MOVED, HeldEvidence, Move, Need, Risk
from sparkctl.model.lifecycle import LifecycleState as State

MOST_TROUBLES = 20
_CERTIFIES = {"purge": "certificate.purged", "destroy": "destruction.witnessed"}
"""What a certificate of sanitisation is evidence of, by its method."""

_WORDS = {state.value for state in State}


@dataclass(slots=True)
class Standing:
    """A node as its entries tell it.

    `began` is the entry that ended the life of the machine that had the name before, 0 when there was none: what was
    entered until then is of another machine. `since` is the last move, None before the first. `serials` are those that
    entries of this life name; `simulated` when any entry says so.
    """

    node_id: str
    state: State = State.UNRECORDED
    since: Move | None = None
    began: int = 0
    moves: list[Move] = field(default_factory=list)
    evidence: list[HeldEvidence] = field(default_factory=list)
    serials: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    simulated: bool = False

    def take(self, entry: LedgerEntry) -> None:
        """Go on by one entry, which is newer than all before."""
        if entry.serial is not None and entry.serial not in self.serials:
            self.serials.append(entry.serial)
        if entry.kind == MOVED:
            self._move(entry)
        elif entry.kind == EVIDENCE_ADDED:
            self._evidence(entry, str(entry.facts.get("evidence") or ""))
        elif entry.kind == CERTIFICATE_ISSUED and (kind := _CERTIFIES.get(str(entry.facts.get("method")))):
            self._evidence(entry, kind)
        self.simulated = self.simulated or entry.simulated

    def _move(self, entry: LedgerEntry) -> None:
        left, entered = str(entry.facts.get("from") or "?"), str(entry.facts.get("to") or "?")
        reason = str(entry.facts.get("reason") or "")
        move = Move(seq=entry.seq, at=entry.at, by=entry.actor, left=left[:120], entered=entered[:120], reason=reason)
        self.moves.append(move)
        if entered not in _WORDS:
            return self._trouble(
                f"entry {entry.seq} moves to {move.entered}, which is no state that this version knows"
            )
        if left != self.state:
            self._trouble(f"entry {entry.seq} leaves {move.left}, but the state was {self.state.value}")
        elif edge_between(self.state, State(entered)) is None:
            self._trouble(f"entry {entry.seq} moves from {move.left} to {move.entered}, which is no move")
        self.state, self.since = State(entered), move
        if STATES[self.state].ends:
            self.began, self.serials = entry.seq, []
        return None

    def _evidence(self, entry: LedgerEntry, kind: str) -> None:
        if kind not in EVIDENCE:
            self._trouble(f"entry {entry.seq} adds evidence of a kind that this version does not know")
            return
        self.evidence += [
            HeldEvidence(kind=kind, name=one.name, sha256=one.sha256, at=entry.at, by=entry.actor, seq=entry.seq)
            for one in (entry.evidence if entry.kind == EVIDENCE_ADDED else entry.evidence[:1])
        ]

    def _trouble(self, words: str) -> None:
        if len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(words)

    def counting(self, kind: str, not_by: str | None = None) -> HeldEvidence | None:
        """The newest evidence of a kind that counts now, and that somebody else than `not_by` entered."""
        after = self.began if EVIDENCE[kind].lasts else max(self.began, self.since.seq if self.since else 0)
        found = (one for one in reversed(self.evidence) if one.kind == kind and one.seq > after)
        return next((one for one in found if one.by != not_by), None)

    def needs(self, edge: Edge, actor: str | None = None) -> list[Need]:
        """What a move needs, and what of it there is. Where two persons are needed, `actor` cannot approve his own."""
        mover = actor if edge.risk is Risk.TWO_PERSONS else None
        return [
            Need(
                kind=kind,
                words=EVIDENCE[kind].words,
                held=self.counting(kind, mover if kind == APPROVAL else None),
                how=EVIDENCE[kind].how_for(kind, self.node_id),
            )
            for kind in edge.needs
        ]


def standing_of(node_id: str, entries: Iterable[LedgerEntry]) -> Standing:
    """The standing of one node by its entries, oldest first."""
    standing = Standing(node_id)
    for entry in entries:
        standing.take(entry)
    return standing


def standings(entries: Iterable[LedgerEntry]) -> dict[str, Standing]:
    """The standing of every node that entries are of."""
    found: dict[str, Standing] = {}
    for entry in entries:
        if entry.node_id is not None:
            found.setdefault(entry.node_id, Standing(entry.node_id)).take(entry)
    return found


def waits_for(standing: Standing, edge: Edge, actor: str | None = None) -> list[str]:
    """The kinds of evidence that a move waits for. With an actor, his own approval does not count."""
    return [need.kind for need in standing.needs(edge, actor) if need.held is None]
