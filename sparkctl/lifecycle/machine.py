"""The state machine of a machine's life, as data: states, edges, and the evidence that each edge needs.

It is Python and no file, since this package reads none; types and `tests/lifecycle` hold it together. The page and the
picture in docs are drawn from it. What erasing means, and that media that cannot be purged are destroyed, follows NIST
SP 800-88: clear, purge, destroy, and a certificate of each.
"""

from dataclasses import dataclass

from sparkctl.model.lifecycle import LifecycleState as State
from sparkctl.model.lifecycle import Phase, Risk, UnitRule

APPROVAL = "approval.given"
"""The evidence that somebody else than who moves must enter, where two persons are needed."""


@dataclass(frozen=True, slots=True)
class StateAbout:
    """A state in words; `ends`: this machine's life under its name ends here, and another may get the name."""

    words: str
    phase: Phase
    ends: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceAbout:
    """A kind of evidence in words, and how to provide it (`{node}` stands for the node).

    `lasts`: it counts for all of the machine's life; otherwise for as long as it stays in the state it was entered in.
    """

    words: str
    how: str = ""
    lasts: bool = False

    def how_for(self, kind: str, node_id: str) -> str:
        """The command that provides it."""
        return (self.how or "sparkctl node evidence {node} {kind} FILE").format(node=node_id, kind=kind)


@dataclass(frozen=True, slots=True)
class Edge:
    """A move that is possible: from any of `sources` to `to`, with what it needs."""

    sources: tuple[State, ...]
    to: State
    phase: Phase
    needs: tuple[str, ...] = ()
    risk: Risk = Risk.ROUTINE
    unit: UnitRule = UnitRule.ALONE


STATES: dict[State, StateAbout] = {
    State.UNRECORDED: StateAbout("the ledger has nothing of it", Phase.PROCUREMENT),
    State.EXPECTED: StateAbout("ordered, not here yet", Phase.PROCUREMENT),
    State.CANCELLED: StateAbout("ordered, and never to come", Phase.PROCUREMENT, ends=True),
    State.RECEIVED: StateAbout("here and on paper, not tested yet", Phase.PROCUREMENT),
    State.QUARANTINED: StateAbout("here, and not what it should be: not to be used", Phase.PROCUREMENT),
    State.ACCEPTED: StateAbout("tested, and ours", Phase.PROCUREMENT),
    State.PROVISIONING: StateAbout("being set up", Phase.PROVISIONING),
    State.IN_SERVICE: StateAbout("does its work", Phase.MONITORING),
    State.MAINTENANCE: StateAbout("taken out of service on purpose", Phase.MAINTENANCE),
    State.INCIDENT: StateAbout("something is wrong with it, and a case is open", Phase.INCIDENT),
    State.RETIRING: StateAbout("out of service for good, data still on it", Phase.RETIREMENT),
    State.ERASE_FAILED: StateAbout("its media could not be erased", Phase.RETIREMENT),
    State.SANITISED: StateAbout("its media are purged", Phase.RETIREMENT),
    State.DESTROYED: StateAbout("its media are destroyed", Phase.RETIREMENT),
    State.DISPOSED: StateAbout("handed over to a disposer", Phase.RETIREMENT, ends=True),
    State.RETURNED: StateAbout("handed back to its supplier (RMA)", Phase.RETIREMENT, ends=True),
    State.LOST: StateAbout("nobody knows where it is", Phase.INCIDENT, ends=True),
}

EVIDENCE: dict[str, EvidenceAbout] = {
    "order.placed": EvidenceAbout("the purchase order"),
    "order.cancelled": EvidenceAbout("the cancellation of the order"),
    "adoption.recorded": EvidenceAbout("a record that it was in use before the ledger began"),
    "receipt.recorded": EvidenceAbout("the as-received record", "sparkctl receive record --order PO --notice ASN ..."),
    "match.accepted": EvidenceAbout(
        "order, notice, label and machine agree", "sparkctl receive record --observed {node} ...", lasts=True
    ),
    "host_keys.pinned": EvidenceAbout("the host keys that are pinned", "sparkctl receive pins {node}", lasts=True),
    "acceptance.passed": EvidenceAbout("the acceptance test, passed", "sparkctl receive accept {node}"),
    "discrepancy.resolved": EvidenceAbout("what was wrong with it, and how that was settled"),
    "placement.recorded": EvidenceAbout("where it is to stand: rack, power, cabling"),
    "provisioning.verified": EvidenceAbout("the record of its set-up, verified"),
    "baseline.set": EvidenceAbout(
        "the baseline that it is held against", "sparkctl node evidence {node} {kind} STATE/baseline.yaml"
    ),
    "maintenance.planned": EvidenceAbout("the plan or ticket of the maintenance"),
    "maintenance.verified": EvidenceAbout("a sweep after the work, without failures"),
    "case.opened": EvidenceAbout("the case, with its evidence bundle"),
    "case.closed": EvidenceAbout("the case, closed"),
    APPROVAL: EvidenceAbout("the approval, entered by another person than who moves"),
    "retirement.withdrawn": EvidenceAbout("why it is kept after all"),
    "certificate.purged": EvidenceAbout(
        "the certificate that its media were purged", "sparkctl retire certificate RECORD --out DIR"
    ),
    "erase.failed": EvidenceAbout("the log of the erasure that failed"),
    "destruction.witnessed": EvidenceAbout(
        "the certificate of destruction, with the serials and a witness", "sparkctl retire certificate RECORD --out DIR"
    ),
    "return.authorised": EvidenceAbout("the supplier's return authorisation (RMA)"),
    "handover.signed": EvidenceAbout("the receipt of whoever took it, signed"),
    "loss.reported": EvidenceAbout("the report of the loss"),
    "recovery.recorded": EvidenceAbout("how and where it was found again"),
}

# Not after a failed erasure: its media stay a case of ours until their destruction is witnessed.
_CAN_BE_LOST = tuple(
    state for state, about in STATES.items() if not about.ends and state not in (State.UNRECORDED, State.ERASE_FAILED)
)

_PROCUREMENT = (
    Edge((State.UNRECORDED,), State.EXPECTED, Phase.PROCUREMENT, ("order.placed",)),
    Edge((State.UNRECORDED,), State.QUARANTINED, Phase.PROCUREMENT, ("receipt.recorded",)),
    Edge((State.UNRECORDED,), State.IN_SERVICE, Phase.MONITORING, ("adoption.recorded",)),
    Edge((State.EXPECTED,), State.RECEIVED, Phase.PROCUREMENT, ("receipt.recorded",)),
    Edge((State.EXPECTED,), State.QUARANTINED, Phase.PROCUREMENT, ("receipt.recorded",)),
    Edge((State.EXPECTED,), State.CANCELLED, Phase.PROCUREMENT, ("order.cancelled",)),
    Edge((State.RECEIVED,), State.QUARANTINED, Phase.PROCUREMENT),
    Edge(
        (State.RECEIVED,), State.ACCEPTED, Phase.PROCUREMENT,
        ("match.accepted", "host_keys.pinned", "acceptance.passed"),
    ),
    Edge(
        (State.QUARANTINED,), State.RECEIVED, Phase.PROCUREMENT,
        ("discrepancy.resolved", APPROVAL), Risk.TWO_PERSONS,
    ),
    Edge((State.QUARANTINED,), State.RETURNED, Phase.PROCUREMENT, ("return.authorised", "handover.signed")),
    Edge((State.QUARANTINED,), State.RETIRING, Phase.RETIREMENT, (APPROVAL,), Risk.TWO_PERSONS, UnitRule.DISSOLVED),
    Edge((State.ACCEPTED,), State.QUARANTINED, Phase.PROCUREMENT),
)  # fmt: skip

_USE = (
    Edge((State.ACCEPTED,), State.PROVISIONING, Phase.PROVISIONING, ("placement.recorded",)),
    Edge(
        (State.PROVISIONING,), State.IN_SERVICE, Phase.PROVISIONING,
        ("provisioning.verified", "baseline.set"), unit=UnitRule.TOGETHER,
    ),
    Edge((State.PROVISIONING,), State.INCIDENT, Phase.INCIDENT, ("case.opened",)),
    Edge(
        (State.IN_SERVICE,), State.MAINTENANCE, Phase.MAINTENANCE, ("maintenance.planned",), unit=UnitRule.TOGETHER
    ),
    Edge((State.IN_SERVICE,), State.INCIDENT, Phase.INCIDENT, ("case.opened",)),
    Edge(
        (State.MAINTENANCE,), State.IN_SERVICE, Phase.MAINTENANCE, ("maintenance.verified",), unit=UnitRule.TOGETHER
    ),
    Edge((State.MAINTENANCE,), State.PROVISIONING, Phase.PROVISIONING, ("maintenance.planned",)),
    Edge((State.MAINTENANCE,), State.INCIDENT, Phase.INCIDENT, ("case.opened",)),
    Edge((State.INCIDENT,), State.IN_SERVICE, Phase.INCIDENT, ("case.closed", "maintenance.verified")),
    Edge((State.INCIDENT,), State.MAINTENANCE, Phase.INCIDENT, ("maintenance.planned",)),
    Edge((State.INCIDENT,), State.PROVISIONING, Phase.INCIDENT, ("case.closed",)),
)  # fmt: skip

_RETIREMENT = (
    Edge((State.MAINTENANCE,), State.RETIRING, Phase.RETIREMENT, (APPROVAL,), Risk.TWO_PERSONS, UnitRule.DISSOLVED),
    Edge((State.INCIDENT,), State.RETIRING, Phase.RETIREMENT, (APPROVAL,), Risk.TWO_PERSONS, UnitRule.DISSOLVED),
    Edge((State.RETIRING,), State.MAINTENANCE, Phase.RETIREMENT, ("retirement.withdrawn",)),
    Edge((State.RETIRING,), State.SANITISED, Phase.RETIREMENT, ("certificate.purged",)),
    Edge((State.RETIRING,), State.ERASE_FAILED, Phase.RETIREMENT, ("erase.failed",)),
    Edge(
        (State.RETIRING,), State.DESTROYED, Phase.RETIREMENT, ("destruction.witnessed", APPROVAL), Risk.TWO_PERSONS
    ),
    Edge(
        (State.ERASE_FAILED,), State.DESTROYED, Phase.RETIREMENT,
        ("destruction.witnessed", APPROVAL), Risk.TWO_PERSONS,
    ),
    Edge((State.SANITISED,), State.PROVISIONING, Phase.PROVISIONING, (APPROVAL,), Risk.TWO_PERSONS),
    Edge((State.SANITISED,), State.RETURNED, Phase.RETIREMENT, ("return.authorised", "handover.signed")),
    Edge((State.SANITISED,), State.DISPOSED, Phase.RETIREMENT, ("handover.signed", APPROVAL), Risk.TWO_PERSONS),
    Edge((State.DESTROYED,), State.DISPOSED, Phase.RETIREMENT, ("handover.signed",)),
    Edge(_CAN_BE_LOST, State.LOST, Phase.INCIDENT, ("loss.reported", APPROVAL), Risk.TWO_PERSONS),
    Edge((State.LOST,), State.INCIDENT, Phase.INCIDENT, ("recovery.recorded",)),
)  # fmt: skip

EDGES: tuple[Edge, ...] = (*_PROCUREMENT, *_USE, *_RETIREMENT)
"""Every move that is possible. From a state that ends a life, those of `unrecorded` are open, too."""


def edges_from(state: State) -> list[Edge]:
    """The moves that are possible from a state."""
    again = (State.UNRECORDED,) if STATES[state].ends else ()
    return [edge for edge in EDGES if state in edge.sources or any(one in edge.sources for one in again)]


def edge_between(state: State, to: State) -> Edge | None:
    """The move from one state to another; of two, that of this very state."""
    found = [edge for edge in edges_from(state) if edge.to is to]
    return next((edge for edge in found if state in edge.sources), found[0] if found else None)
