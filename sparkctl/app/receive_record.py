"""The as-received record: a delivery entered into the ledger, all of it in one step."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.actor import actor
from sparkctl.app.evidence_file import reference
from sparkctl.app.node_moves import deciding, evidence_fact, move_fact
from sparkctl.app.node_states import Known, entries_of
from sparkctl.app.places import Places
from sparkctl.app.receiving import COMING, Delivery, fleet_if_any, match_delivery
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError, UsageError
from sparkctl.lifecycle.machine import STATES, edge_between
from sparkctl.lifecycle.standing import Standing, standings
from sparkctl.model.inventory import Node
from sparkctl.model.ledger import EvidenceRef, LedgerEntry, LedgerFact, Scalar
from sparkctl.model.lifecycle import CUSTODY_RECEIVED
from sparkctl.model.lifecycle import LifecycleState as State
from sparkctl.model.printable import printable
from sparkctl.model.receiving import AsReceived, MatchClass, MatchedUnit, Recorded
from sparkctl.store.location import make_state_dir
from sparkctl.store.store import Store

FOLDER = "receiving"
"""Where documents that we make as evidence lie, in the state folder."""

WELL = frozenset({MatchClass.MATCHED, MatchClass.MATCHED_PARTIALLY})


@dataclass(slots=True)
class _Became:
    """What became of the nodes of a delivery."""

    received: list[str] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    matched: list[str] = field(default_factory=list)
    without_node: list[str] = field(default_factory=list)
    left_alone: dict[str, str] = field(default_factory=dict)


def record(places: Places, delivery: Delivery, out: Path | None = None) -> Recorded:
    """Match a delivery, write its as-received record, and enter what arrived; all entries or none.

    Only what somebody scanned is entered. What was entered before is not entered again. Raises as `match_delivery`
    does, and UsageError when the record cannot be written.
    """
    before = [reference(path) for path in delivery.files]
    report = match_delivery(places, delivery)
    if [reference(path) for path in delivery.files] != before:
        raise UsageError("a file of the delivery was changed meanwhile", hint="run the command again")
    now, who = datetime.now(UTC).replace(microsecond=0), actor()
    body = AsReceived(at=now, by=who, inputs=before, report=report).model_dump_json().encode() + b"\n"
    digest = hashlib.sha256(body).hexdigest()
    path = out or places.state / FOLDER / f"as-received-{now:%Y%m%dT%H%M%SZ}-{digest[:8]}.json"
    fleet = fleet_if_any(places, needed=False)
    nodes = {node.node_id: node for node in fleet.nodes} if fleet else {}
    became, added = _Became(), list[LedgerEntry]()
    with deciding(places.state), Store.open(places.state) as store:
        entries = list(entries_of(store))
        paper = EvidenceRef(name=path.name, sha256=digest)
        entering = _Entering(became, nodes, entries, paper=paper, order=before[0], who=who)
        facts = [fact for unit in report.units if unit.scan is not None for fact in entering.facts_of(unit)]
        if facts:
            write_document(places, path, body)
            added = store.ledger.add(facts, datetime.now(UTC))
    return Recorded(
        file=printable(str(path), 1000) if added else None,
        sha256=digest if added else None,
        received=became.received,
        matched=became.matched,
        quarantined=became.quarantined,
        without_node=became.without_node,
        left_alone=became.left_alone,
        entries=[entry.seq for entry in added],
        report=report,
    )


def write_document(places: Places, path: Path, body: bytes) -> None:
    """Put a document where evidence of ours lies, or where it was asked for.

    One that was put there by a command that was then killed stays as it is. Raises UsageError when it cannot be
    written, RefusedError where something else is already.
    """
    if _is_there(path, body):
        return
    if os.path.lexists(path):
        raise RefusedError(
            f"there is a file {path} already, and it may be evidence", hint="name another one with --out"
        )
    try:
        make_state_dir(places.state)
        if path.parent == places.state / FOLDER:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(path, body, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="name another file with --out") from error


def _is_there(path: Path, body: bytes) -> bool:
    """Whether this very document is there, as a file of its own."""
    try:
        return not path.is_symlink() and path.is_file() and path.read_bytes() == body
    except OSError:
        return False


class _Entering:
    """What is to be entered for each unit, by where its node stands."""

    def __init__(
        self,
        became: _Became,
        nodes: dict[str, Node],
        entries: Iterable[LedgerEntry],
        *,
        paper: EvidenceRef,
        order: EvidenceRef,
        who: str,
    ) -> None:
        entries = list(entries)
        self._became, self._nodes = became, nodes
        self._standings = standings(entries)
        self._paper, self._order, self._who = paper, order, who
        self._taken = {one.serial for one in entries if one.kind == CUSTODY_RECEIVED and one.node_id is None}
        self._seen: set[str] = set()

    def facts_of(self, unit: MatchedUnit) -> list[LedgerFact]:
        """What is to be entered for a unit that was scanned; of several units of one node the first counts."""
        if unit.match_class in (MatchClass.DUPLICATE_SCAN, MatchClass.UNREADABLE_SCAN) or unit.serial is None:
            return []
        if unit.node_id is None:
            return self._without_node(unit)
        if unit.node_id in self._seen:
            return []
        self._seen.add(unit.node_id)
        standing = self._standings.get(unit.node_id) or Standing(unit.node_id)
        known = Known(unit.node_id, self._nodes.get(unit.node_id), None, standing)
        if standing.state not in COMING and not STATES[standing.state].ends:
            if unit.match_class not in WELL:
                why = f"it is {unit.match_class.value}, and {standing.state.value} already"
                self._became.left_alone[unit.node_id] = why
            return []
        facts = self._well(known, unit) if unit.match_class in WELL else self._bad(known, unit)
        return [fact.model_copy(update={"serial": unit.serial, "simulated": unit.simulated}) for fact in facts]

    def _without_node(self, unit: MatchedUnit) -> list[LedgerFact]:
        serial = unit.serial or ""
        self._became.without_node.append(serial)
        if serial in self._taken:
            return []
        self._taken.add(serial)
        return [self._custody(None, unit)]

    def _well(self, known: Known, unit: MatchedUnit) -> list[LedgerFact]:
        state, facts = known.standing.state, []
        if state not in (State.EXPECTED, State.RECEIVED, State.QUARANTINED):
            facts += [evidence_fact(known, "order.placed", self._order, self._who)]
            facts += [self._move(known, state, State.EXPECTED, f"ordered: {_ordered(unit)}", [self._order])]
            state = State.EXPECTED
        if state is State.EXPECTED:
            facts += self._in(known, unit)
            facts += [self._move(known, state, State.RECEIVED, f"received, {unit.match_class.value}", [self._paper])]
            self._became.received.append(known.node_id)
        if unit.match_class is MatchClass.MATCHED and not self._is_matched(known, unit):
            facts += [evidence_fact(known, "match.accepted", self._paper, self._who)]
            self._became.matched.append(known.node_id)
        if state is State.QUARANTINED:
            self._became.left_alone[known.node_id] = "it is quarantined, until that is resolved"
        return facts

    def _is_matched(self, known: Known, unit: MatchedUnit) -> bool:
        """Whether the match of this very machine is in the ledger."""
        return known.standing.counting("match.accepted") is not None and unit.serial in known.standing.serials

    def _bad(self, known: Known, unit: MatchedUnit) -> list[LedgerFact]:
        state = known.standing.state
        if state is State.QUARANTINED:
            return []
        since = known.standing.since
        if state is State.RECEIVED and since is not None and since.left == State.QUARANTINED:
            self._became.left_alone[known.node_id] = f"it is {unit.match_class.value}, which two persons have resolved"
            return []
        self._became.quarantined.append(known.node_id)
        reason = f"{unit.match_class.value}: {unit.reasons[0]}"[:800]
        arrives = [] if state is State.RECEIVED else self._in(known, unit)
        return [*arrives, self._move(known, state, State.QUARANTINED, reason, [self._paper])]

    def _in(self, known: Known, unit: MatchedUnit) -> list[LedgerFact]:
        return [self._custody(known, unit), evidence_fact(known, "receipt.recorded", self._paper, self._who)]

    def _custody(self, known: Known | None, unit: MatchedUnit) -> LedgerFact:
        words = {"class": unit.match_class.value, "po": unit.po, "line": unit.line, "part_number": unit.part_number}
        words |= {"carton": unit.carton, "asset_tag": unit.asset_tag}
        facts: dict[str, Scalar] = {name: value for name, value in words.items() if value is not None}
        return LedgerFact(
            kind=CUSTODY_RECEIVED,
            node_id=known.node_id if known else None,
            serial=unit.serial,
            actor=self._who,
            summary=f"received {unit.serial}, {unit.match_class.value}, {_ordered(unit)}",
            facts=facts,
            evidence=[self._paper],
            simulated=unit.simulated,
        )

    def _move(self, known: Known, left: State, to: State, reason: str, refs: list[EvidenceRef]) -> LedgerFact:
        edge = edge_between(left, to)
        assert edge is not None  # noqa: S101 - the states from which this is asked have these edges
        named = [
            EvidenceRef(name=f"{edge.needs[0] if edge.needs else 'receipt.recorded'} {ref.name}", sha256=ref.sha256)
            for ref in refs
        ]
        return move_fact(known, left, edge, reason=reason, refs=named, who=self._who)


def _ordered(unit: MatchedUnit) -> str:
    return f"line {unit.line or '?'} of order {unit.po}" if unit.po else "on no order"
