"""Where nodes are in their lives: what the ledger says, beside what the inventory calls it."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.lifecycle.machine import Edge, edges_from
from sparkctl.lifecycle.standing import Standing, standing_of, standings, waits_for
from sparkctl.model.inventory import Fleet, Node, Problem
from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.lifecycle import LifecycleState, NextMove, NodeLifecycle, NodeState, UnitRule
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Severity
from sparkctl.store.location import DATABASE_NAME
from sparkctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """A node as inventory and ledger have it; `node` is None for one that is only in the ledger."""

    node_id: str
    node: Node | None
    partner: Node | None
    standing: Standing

    @property
    def differs(self) -> bool:
        """Whether the inventory calls the state of a node of the ledger otherwise."""
        recorded = self.standing.state is not LifecycleState.UNRECORDED
        return bool(recorded and self.node and self.node.state and self.node.state != self.standing.state)

    @property
    def simulated(self) -> bool:
        """Whether the inventory or the ledger says that it is."""
        return self.standing.simulated or bool(self.node and self.node.simulated)

    @property
    def serial(self) -> str | None:
        """The enrolled serial, else the last that the ledger names."""
        enrolled = self.node.serial if self.node else None
        return enrolled or next(reversed(self.standing.serials), None)


def partner_of(fleet: Fleet, node: Node | None) -> Node | None:
    """The other node of its unit."""
    if node is None or node.unit is None:
        return None
    return next((one for one in fleet.nodes if one.unit == node.unit and one is not node), None)


def known(fleet: Fleet, store: Store | None, node_id: str) -> Known:
    """One node; raises UsageError when neither the inventory nor the ledger has it."""
    node = next((one for one in fleet.nodes if one.node_id == node_id), None)
    standing = standing_of(node_id, entries_of(store, node_id))
    if node is None and not standing.moves and not standing.evidence:
        shown = printable(node_id, 100)
        raise UsageError(f"there is no node '{shown}' in the inventory or the ledger", hint="see: sparkctl node list")
    return Known(node_id, node, partner_of(fleet, node), standing)


def entries_of(store: Store | None, node_id: str | None = None) -> Iterator[LedgerEntry]:
    """The entries of one node, or all; raises StoreError for a damaged ledger."""
    return iter(()) if store is None else store.ledger.entries(node_id)


@contextlib.contextmanager
def store_of(state: Path) -> Iterator[Store | None]:
    """The store of a state folder, for reading; None where nothing was ever stored."""
    if not (state / DATABASE_NAME).exists():
        yield None
        return
    with Store.open(state, create=False) as store:
        yield store


def node_states(places: Places, selector: str, within: Iterable[str] = ()) -> list[NodeState]:
    """The selected nodes, and with `all` those that are only in the ledger; `within` leaves it at some states.

    Raises UsageError for a selector that is none.
    """
    fleet = load_fleet(places.fleet)
    chosen = select(fleet, selector)
    with store_of(places.state) as store:
        found = standings(entries_of(store))
    names = [node.node_id for node in chosen]
    if selector == "all":
        names += sorted(found.keys() - {node.node_id for node in fleet.nodes})
    nodes = {node.node_id: node for node in chosen}
    wanted = {state_named(word) for word in within}
    states = [_brief(Known(name, nodes.get(name), None, found.get(name) or Standing(name))) for name in names]
    return [state for state in states if not wanted or state.state in wanted]


def state_named(word: str) -> LifecycleState:
    """The state of a name; raises UsageError."""
    words = [state.value for state in LifecycleState]
    if word not in words:
        raise UsageError(f"there is no state '{printable(word, 60)}'", hint=f"the states are: {', '.join(words)}")
    return LifecycleState(word)


def _brief(known: Known) -> NodeState:
    since = known.standing.since
    return NodeState(
        node_id=known.node_id,
        state=known.standing.state,
        since=since.at if since else None,
        by=since.by if since else None,
        unit=known.node.unit if known.node else None,
        inventory=known.node.state if known.node else None,
        differs=known.differs,
        simulated=known.simulated,
    )


def node_lifecycle(places: Places, node_id: str) -> NodeLifecycle:
    """All of one node's life; raises UsageError when nobody knows it."""
    fleet = load_fleet(places.fleet)
    with store_of(places.state) as store:
        found = known(fleet, store, node_id)
        partner = known_partner(store, found)
        observed = _observed(store, node_id)
    standing = found.standing
    return NodeLifecycle(
        **{name: value for name, value in _brief(found).model_dump().items() if name not in ("schema", "state_schema")},
        enrolled=found.node.serial if found.node else None,
        observed=observed,
        partner=found.partner.node_id if found.partner else None,
        partner_state=partner.state if partner else None,
        moves=standing.moves,
        evidence=standing.evidence,
        next_moves=[_next(found, edge, partner) for edge in edges_from(standing.state)],
        troubles=standing.troubles,
    )


def known_partner(store: Store | None, known: Known) -> Standing | None:
    """The standing of the node that is cabled to it."""
    if known.partner is None:
        return None
    return standing_of(known.partner.node_id, entries_of(store, known.partner.node_id))


def _observed(store: Store | None, node_id: str) -> str | None:
    spans = store.spans(node_id, "identity") if store else []
    data = spans[-1].document.get("data") if spans else None
    serial = data.get("serial") if isinstance(data, dict) else None
    return str(serial) if serial else None


def _next(known: Known, edge: Edge, partner: Standing | None) -> NextMove:
    return NextMove(
        to=edge.to,
        phase=edge.phase,
        risk=edge.risk,
        unit=edge.unit,
        needs=known.standing.needs(edge),
        waits_for=waits_for(known.standing, edge),
        blocked=blocked(known, edge, partner),
    )


def blocked(known: Known, edge: Edge, partner: Standing | None) -> str | None:
    """What of its unit is in the way of a move."""
    if known.node is None or known.partner is None or partner is None:
        return None
    unit, other = known.node.unit, known.partner.node_id
    if edge.unit is UnitRule.DISSOLVED:
        return f"{known.node_id} is cabled to {other} as unit {unit}: take the unit apart first"
    comes_in = edge.unit is UnitRule.TOGETHER and edge.to is LifecycleState.IN_SERVICE
    if comes_in and partner.state not in (LifecycleState.IN_SERVICE, known.standing.state):
        return f"unit {unit} comes into service whole, and {other} is {partner.state.value}"
    return None


def differences(places: Places) -> list[Problem]:
    """Where the inventory calls the state of a node otherwise than the ledger, as warnings. Raises UsageError."""
    with store_of(places.state) as store:
        found = standings(entries_of(store))
    problems = []
    for node in load_fleet(places.fleet).nodes if found else ():
        known = Known(node.node_id, node, None, found.get(node.node_id) or Standing(node.node_id))
        if known.differs:
            file, _, line = node.origin.rpartition(":")
            state = known.standing.state.value
            problems.append(
                Problem(
                    severity=Severity.WARNING,
                    file=file or node.origin,
                    line=int(line) if line.isdecimal() and int(line) else None,
                    key=f"{node.node_id}.state",
                    message=f"the inventory says {node.state}, and the ledger says {state}",
                    action=f"The ledger is right. Write `state: {state}`, or move the node: sparkctl node move.",
                )
            )
    return problems
