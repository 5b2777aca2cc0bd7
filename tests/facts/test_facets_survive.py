"""Whatever a facet may hold comes out of the store as it went in, and does not differ from itself."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.model.facets.base import Facet
from sparkctl.model.facets.catalogue import FACETS, Facets
from sparkctl.model.facets.difference import differences
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.support.envelopes import PROGRAM
from tests.support.facts import DAY_ONE, facts_record
from tests.support.strategies import instances

REASONS = st.sampled_from([reason.value for reason in UnknownReason])
BIG = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def facet_model(name: str) -> type[Facet[Any, Any]]:
    (model,) = (kind for kind in get_args(Facets.model_fields[name].annotation) if kind is not type(None))
    chosen: type[Facet[Any, Any]] = model
    return chosen


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with SweepLock(tmp_path / "state", ["test"]) as lock, Store.open(tmp_path / "state") as opened:
        opened.begin_run(
            lock,
            RunStart(run_id="r1", tool="test", started_at=DAY_ONE, selector="all", program_sha256=PROGRAM, selected=1),
            RunKind.COLLECT,
        )
        yield opened


@pytest.mark.parametrize("name", FACETS)
@settings(max_examples=15, deadline=None, suppress_health_check=BIG)
@given(data=st.data())
def test_a_facet_survives_the_store(name: str, store: Store, data: st.DataObject) -> None:
    model = facet_model(name)
    gaps = data.draw(st.dictionaries(st.sampled_from(["", "a.b", "c[d.e].f", "g.*.h", "[*]"]), REASONS, max_size=4))
    document = data.draw(instances(model))
    gaps |= {"": "timeout"} if document["data"] is None else {}
    document["gaps"] = [{"path": path, "reason": why, "summary": "not read"} for path, why in gaps.items()]
    facet = model.model_validate_json(json.dumps(document))
    node_id = f"spark{len(store.held(name))}-{data.draw(st.integers(0, 10**9))}"
    record = facts_record("r1", node_id, DAY_ONE + timedelta(seconds=1), **{name: document})
    outcome = NodeOutcome.of(record)
    assert NodeOutcome.of(type(record).model_validate_json(outcome.record)) == outcome
    if store.newest(node_id) is None:
        store.add([outcome])
        spans = store.spans(node_id, name)
        assert [span.document for span in spans] == [json.loads(facet.text)]
        assert all(differences(span.document, json.loads(facet.text)) == [] for span in spans)
