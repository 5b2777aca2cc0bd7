"""What no two machines may share is found by a table, exactly as a look into every document would find it."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.model.facets.individual import UNIQUE
from sparkctl.model.facets.paths import from_text, values
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from sparkctl.store.identifiers import IDENTITY
from tests.support.corpus import THOROUGH
from tests.support.envelopes import PROGRAM
from tests.support.facts import DAY_ONE, facet, facts_record, identity


def _identity(data: dict[str, Any]) -> dict[str, Any]:
    return facet(identity(**data))


_names = st.sampled_from(["a", "b"])
_few = st.sampled_from(["1", "2", "3"])
_identities = st.fixed_dictionaries(
    {"hostname": _few},
    optional={
        "serial": _few,
        "machine_id": _few,
        "host_keys": st.dictionaries(_names, _few, max_size=2),
        "macs": st.dictionaries(_names, _few, max_size=2),
        "drives": st.dictionaries(_names, _few, max_size=2),
    },
).map(_identity)
_lost = st.just(facet(None, {"": "timeout"}))
_collections = st.lists(
    st.dictionaries(st.sampled_from(["n1", "n2", "n3", "n4"]), _identities | _lost, min_size=1), min_size=1, max_size=4
)
_fresh = itertools.count()


def collect(store: Store, lock: SweepLock, run_id: str, nodes: Mapping[str, Mapping[str, Any]]) -> None:
    start = RunStart(
        run_id=run_id, tool="test", started_at=DAY_ONE, selector="all", program_sha256=PROGRAM, selected=len(nodes)
    )
    store.begin_run(lock, start, RunKind.COLLECT)
    records = [facts_record(run_id, node_id, DAY_ONE, identity=each) for node_id, each in nodes.items()]
    store.add([NodeOutcome.of(record) for record in records])


def shared_by_documents(store: Store) -> dict[tuple[str, str], set[str]]:
    """The same from all documents that hold."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in store.held(IDENTITY):
        for field in UNIQUE:
            for value in values(from_text(field)[1:], each.document["data"]):
                found.setdefault((field, value), set()).update(each.since)
    return {place: nodes for place, nodes in found.items() if len(nodes) > 1}


@settings(max_examples=60 if THOROUGH else 15, deadline=None)
@given(collections=_collections)
def test_what_is_shared_is_what_the_documents_that_hold_say(
    collections: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = tmp_path_factory.getbasetemp() / f"identifiers-{next(_fresh)}"
    with SweepLock(state, ["test"]) as lock, Store.open(state) as store:
        for number, nodes in enumerate(collections):
            collect(store, lock, f"r{number}", nodes)
            assert store.shared_identifiers() == shared_by_documents(store)


def test_only_identities_have_such_values() -> None:
    assert {from_text(field)[0] for field in UNIQUE} == {IDENTITY}
