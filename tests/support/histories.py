"""Stores with runs at any moments, written without asking anybody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.support.envelopes import PROGRAM, reported
from tests.support.facts import facts_record


def run_stored(
    state: Path, at: datetime, records: Iterable[RunRecord], kind: RunKind = RunKind.HEALTH, run_id: str | None = None
) -> str:
    """Store one run that began at a moment, with these records in it, a second apart; its id."""
    name = run_id or f"{at:%Y%m%dT%H%M%SZ}-{kind.value[:6].replace(' ', '-')}"
    found = [
        record.model_copy(update={"run_id": name, "ts": at + timedelta(seconds=place)})
        for place, record in enumerate(records)
    ]
    with SweepLock(state, ["test"]) as lock, Store.open(state) as store:
        start = RunStart(
            run_id=name, tool="sparkctl test", started_at=at, selector="all", program_sha256=PROGRAM,
            selected=len(found),
        )  # fmt: skip
        store.begin_run(lock, start, kind)
        store.add([NodeOutcome.of(record) for record in found])
    return name


def sweep_stored(state: Path, at: datetime, nodes: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    """Store a sweep in which every node reported; findings by node."""
    return run_stored(state, at, [reported(name, *findings) for name, findings in nodes.items()])


def facts_stored(state: Path, at: datetime, nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """Store a collection; facets by node."""
    records = [facts_record("later", name, at, **facets) for name, facets in nodes.items()]
    return run_stored(state, at, records, RunKind.COLLECT)


def fleet_file(folder: Path, names: str, **settings: str) -> Path:
    """An inventory of nodes with the same settings."""
    inner = ", ".join(f"{key}: {value}" for key, value in {"transport": "local", **settings}.items())
    path = folder / "fleet.yaml"
    path.write_text(f"nodes:\n  {names}: {{{inner}}}\n")
    return path
