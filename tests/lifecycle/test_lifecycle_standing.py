"""Where a node stands follows from its entries alone, whatever they are."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.app.certificate import CERTIFICATE_KIND
from sparkctl.lifecycle.machine import APPROVAL, EDGES, EVIDENCE, edge_between, edges_from
from sparkctl.lifecycle.standing import Standing, standing_of, standings, waits_for
from sparkctl.model.ledger import GENESIS, EvidenceRef, LedgerEntry, LedgerFact, entered
from sparkctl.model.lifecycle import EVIDENCE_ADDED, MOVED
from sparkctl.model.lifecycle import LifecycleState as State

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def moved(
    left: str, to: str, actor: str = "ann@bastion", node_id: str = "spark01", serial: str | None = None
) -> LedgerFact:
    facts: dict[str, str | int | bool | None] = {"from": left, "to": to, "reason": "because"}
    return LedgerFact(kind=MOVED, node_id=node_id, serial=serial, actor=actor, summary="moved", facts=facts)


def evidence(kind: str, actor: str = "ann@bastion", node_id: str = "spark01") -> LedgerFact:
    refs = [EvidenceRef(name=f"{kind}.pdf", sha256="a" * 64)]
    facts: dict[str, str | int | bool | None] = {"evidence": kind}
    return LedgerFact(kind=EVIDENCE_ADDED, node_id=node_id, actor=actor, summary=kind, facts=facts, evidence=refs)


def ledger(facts: Iterable[LedgerFact]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for fact in facts:
        previous = entries[-1].sha256 if entries else GENESIS
        at = NOON + timedelta(minutes=len(entries))
        entries.append(entered(fact, seq=len(entries) + 1, at=at, previous=previous))
    return entries


def stand(*facts: LedgerFact) -> Standing:
    return standing_of("spark01", ledger(facts))


def waiting(standing: Standing, to: State, actor: str | None = None) -> list[str]:
    edge = edge_between(standing.state, to)
    assert edge is not None
    return waits_for(standing, edge, actor)


def test_without_entries_it_is_unrecorded() -> None:
    standing = stand()
    assert (standing.state, standing.since, standing.troubles) == (State.UNRECORDED, None, [])


def test_the_last_move_is_the_state() -> None:
    standing = stand(moved("unrecorded", "in_service"), moved("in_service", "maintenance", "bob@bastion"))
    assert standing.state is State.MAINTENANCE
    assert standing.since is not None
    assert (standing.since.by, standing.since.at) == ("bob@bastion", NOON + timedelta(minutes=1))
    assert standing.troubles == []


def test_an_edge_waits_for_what_is_missing_only() -> None:
    received = [moved("unrecorded", "expected"), moved("expected", "received")]
    assert waiting(stand(*received), State.ACCEPTED) == ["match.accepted", "host_keys.pinned", "acceptance.passed"]
    assert waiting(stand(*received, evidence("host_keys.pinned")), State.ACCEPTED) == [
        "match.accepted", "acceptance.passed",
    ]  # fmt: skip


def test_evidence_of_the_machine_lasts_and_evidence_of_a_state_does_not() -> None:
    """Back from quarantine, the match still counts; the acceptance test of before does not."""
    standing = stand(
        moved("unrecorded", "expected"),
        moved("expected", "received"),
        evidence("match.accepted"), evidence("acceptance.passed"), evidence("host_keys.pinned"),
        moved("received", "quarantined"),
        moved("quarantined", "received"),
    )  # fmt: skip
    assert waiting(standing, State.ACCEPTED) == ["acceptance.passed"]


def test_ones_own_approval_does_not_count() -> None:
    retiring = [
        moved("unrecorded", "in_service"),
        moved("in_service", "maintenance"),
        evidence(APPROVAL, "ann@bastion"),
    ]
    assert waiting(stand(*retiring), State.RETIRING, "ann@bastion") == [APPROVAL]
    assert waiting(stand(*retiring), State.RETIRING, "bob@bastion") == []
    both = stand(evidence(APPROVAL, "x@y"), *retiring[:2], evidence(APPROVAL, "bob@bastion"), retiring[2])
    edge = edge_between(State.MAINTENANCE, State.RETIRING)
    assert edge is not None
    (need,) = both.needs(edge, "ann@bastion")
    assert need.held is not None
    assert need.held.by == "bob@bastion"  # the other one's, older as it is


def test_a_new_machine_inherits_nothing_but_the_name() -> None:
    standing = stand(
        moved("unrecorded", "in_service", serial="OLD"),
        evidence("match.accepted"), evidence("host_keys.pinned"),
        moved("in_service", "lost", serial="OLD"),
        moved("lost", "expected", serial="NEW"), moved("expected", "received"),
    )  # fmt: skip
    assert standing.troubles == []
    assert "OLD" not in standing.serials
    assert waiting(standing, State.ACCEPTED) == ["match.accepted", "host_keys.pinned", "acceptance.passed"]


def test_entries_that_do_not_fit_are_told_and_the_ledger_is_followed() -> None:
    standing = stand(moved("unrecorded", "in_service"), moved("maintenance", "disposed"), moved("disposed", "orbit"))
    assert standing.state is State.DISPOSED
    assert len(standing.troubles) == 2
    assert "orbit" in standing.troubles[1]
    assert "no move" in stand(moved("unrecorded", "disposed")).troubles[0]
    assert stand(evidence("match.accepted"), evidence("a.b")).troubles == [
        "entry 2 adds evidence of a kind that this version does not know"
    ]


@pytest.mark.parametrize(
    ("method", "kind"), [("purge", "certificate.purged"), ("destroy", "destruction.witnessed"), ("clear", None)]
)
def test_a_certificate_that_was_issued_is_evidence_by_its_method(method: str, kind: str | None) -> None:
    refs = [EvidenceRef(name="certificate", sha256="c" * 64), EvidenceRef(name="record", sha256="d" * 64)]
    issued = LedgerFact(
        kind=CERTIFICATE_KIND,
        node_id="spark01",
        actor="ann@b",
        summary="issued",
        facts={"method": method},
        evidence=refs,
    )
    standing = stand(moved("maintenance", "retiring"), issued)
    assert [(one.kind, one.sha256) for one in standing.evidence] == ([(kind, "c" * 64)] if kind else [])


WORDS = st.sampled_from([state.value for state in State] + ["orbit", ""])
FACTS = st.lists(
    st.one_of(
        st.builds(moved, WORDS.filter(bool), WORDS.filter(bool), node_id=st.sampled_from(["spark01", "spark02"])),
        st.builds(evidence, st.sampled_from([*EVIDENCE, "x.y"]), st.sampled_from(["ann@b", "bob@b"])),
    ),
    max_size=30,
)


@given(FACTS)
def test_any_entries_have_a_standing_which_is_the_same_alone_and_among_all(facts: list[LedgerFact]) -> None:
    entries = ledger(facts)
    together = standings(entries)
    for node_id in together:
        alone = standing_of(node_id, [entry for entry in entries if entry.node_id == node_id])
        assert alone == together[node_id]
        for edge in edges_from(alone.state):
            assert set(waits_for(alone, edge)) <= set(waits_for(alone, edge, "ann@b")) <= set(edge.needs)


@given(st.data())
def test_whoever_follows_edges_has_no_troubles(data: st.DataObject) -> None:
    facts, here = [], State.UNRECORDED
    for _ in range(data.draw(st.integers(0, 20))):
        edge = data.draw(st.sampled_from(edges_from(here)))
        facts.append(moved(here.value, edge.to.value))
        here = edge.to
    standing = standing_of("spark01", ledger(facts))
    assert (standing.state, standing.troubles, len(standing.moves)) == (here, [], len(facts))


def test_evidence_for_everything_opens_every_edge() -> None:
    for edge in EDGES:
        source = edge.sources[0]
        facts = [moved("?", source.value)] if source is not State.UNRECORDED else []
        standing = stand(*facts, *(evidence(kind, "bob@b") for kind in EVIDENCE))
        assert waits_for(standing, edge, "ann@b") == []
