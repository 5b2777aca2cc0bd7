"""Facts documents for tests, and stores that remember them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord, Visit
from sparkctl.model.vocabulary import Outcome
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.support.envelopes import PROGRAM, envelope, unreported

DAY_ONE = datetime(2026, 11, 1, tzinfo=UTC)


def facet(data: Mapping[str, Any] | None, gaps: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A facet as a node sends it; `gaps` map paths to reasons."""
    told = [{"path": path, "reason": why, "summary": f"{path}: {why}"} for path, why in (gaps or {}).items()]
    return {"data": data, "volatile": {}, "gaps": told}


def identity(*, product: str = "NVIDIA_DGX_Spark", **data: Any) -> dict[str, Any]:
    """The data of an identity facet."""
    return {
        "identifiers": {},
        "platform": {"is_gb10": True, "clues": {}},
        "smbios": {"sys_vendor": "NVIDIA", "product_name": product},
        **data,
    }


def facts_record(run_id: str, node_id: str, at: datetime, **facets: Any) -> RunRecord:
    """The record of a node that brought facts."""
    whole = envelope(schema="sparkctl.facts/1")
    whole["data"] = {"facets": facets}
    return RunRecord(
        tool="sparkctl test",
        ts=at,
        host=node_id,
        status="ok",
        rc=0,
        duration_ms=900,
        summary={},
        warnings=[],
        artifacts=[],
        run_id=run_id,
        node_id=node_id,
        outcome=Outcome.REPORTED,
        simulated=False,
        visit=Visit(stages_ms={}, sent_bytes=10, received_bytes=20, noise_bytes=0, host_key=None),
        envelope=FactsEnvelope.model_validate_json(json.dumps(whole)),
        failure=None,
    )


def remember(state: Path, day: int, nodes: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Store one collection on one day; a node of None did not report."""
    run_id, at = f"day{day}", DAY_ONE + timedelta(days=day - 1)
    records = [
        facts_record(run_id, node_id, at + timedelta(seconds=5), **facets)
        if facets is not None
        else unreported(node_id).model_copy(update={"run_id": run_id, "ts": at})
        for node_id, facets in nodes.items()
    ]
    with SweepLock(state, ["test"]) as lock, Store.open(state) as store:
        store.begin_run(
            lock,
            RunStart(
                run_id=run_id,
                tool="sparkctl test",
                started_at=at,
                selector="all",
                program_sha256=PROGRAM,
                selected=len(nodes),
            ),
            RunKind.COLLECT,
        )
        store.add([NodeOutcome.of(record) for record in records])
