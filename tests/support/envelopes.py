"""Envelopes, run records and nodes for tests, valid by construction, with any part replaced."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.health import Finding, roll_up
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import Failure, RunRecord, Visit
from sparkctl.model.sweep import SweepReport
from sparkctl.model.vocabulary import Cause, Origin, Outcome, Stage
from sparkctl.report.tally import Tally

PROGRAM = "a" * 64


def finding(check: str = "disk.space", status: str = "pass", **parts: Any) -> dict[str, Any]:
    """A finding as a node would send it."""
    if status == "unknown":
        parts.setdefault("reason", "io_error")
    if status in ("warn", "fail"):
        parts.setdefault("action", "do something about it")
    return {"check": check, "status": status, "required": True, "summary": f"{check} says {status}", **parts}


def envelope(*findings: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A health envelope as a node would send it; its roll-up follows from the findings."""
    found = list(findings) or [finding()]
    rollup = roll_up([Finding.model_validate_json(json.dumps(one)) for one in found])
    return {
        "ok": True,
        "data": {"level": "L1", "findings": found, "rollup": json.loads(rollup.model_dump_json())},
        "errors": [],
        "meta": {
            "tool": "spark_diagctl",
            "version": "0.1.0",
            "schema": "sparkctl.health/1",
            "collected_at_utc": "2026-11-25T08:00:00Z",
            "node": {
                "hostname": "spark01",
                "boot_id": "b",
                "serial": None,
                "serial_source": "not_permitted",
                "product": "NVIDIA_DGX_Spark",
            },
            "program_sha256": PROGRAM,
            "limits": {"seconds": 30.0, "bytes": 262144},
            "cost": {"wall_ms": 10, "cpu_ms": 100, "children": 1, "bytes": 10},
            "elevation": "none",
            "origin": "live",
            "truncated": False,
            "truncation": [],
            "clock": {"synchronised": True},
            **meta,
        },
    }


def reported(node_id: str, *findings: dict[str, Any], warnings: list[str] | None = None, **meta: Any) -> RunRecord:
    """The record of a node that reported."""
    return _record(node_id, HealthEnvelope.model_validate_json(json.dumps(envelope(*findings, **meta))), None, warnings)


def unreported(node_id: str, stage: Stage = Stage.CONNECT, cause: Cause = Cause.TIMEOUT) -> RunRecord:
    """The record of a node that did not."""
    return _record(
        node_id, None, Failure(stage=stage, cause=cause, message="it did not answer", hint="look at it"), None
    )


def report_for(records: Sequence[RunRecord], *, selected: int | None = None) -> SweepReport:
    """The report of a sweep that brought these records."""
    tally, moment = Tally(), datetime(2026, 11, 25, tzinfo=UTC)
    for record in records:
        tally.add(NodeOutcome.of(record))
    start = RunStart(
        run_id="20261125T080000Z-abcdef",
        tool="sparkctl test",
        started_at=moment,
        selector="all",
        program_sha256=PROGRAM,
        selected=len(records) if selected is None else selected,
    )
    cost = BastionCost(cpu_s=0.1, peak_rss_bytes=1)
    return tally.report(start, RunEnd(finished_at=moment, duration_ms=6300, cost=cost))


def _record(
    node_id: str, seen: HealthEnvelope | None, failure: Failure | None, warnings: list[str] | None
) -> RunRecord:
    return RunRecord(
        tool="sparkctl test",
        ts=datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
        host=node_id,
        status="ok" if failure is None else f"{failure.stage.value}.{failure.cause.value}",
        rc=0 if failure is None else None,
        duration_ms=1200,
        summary={},
        warnings=warnings or [],
        artifacts=[],
        run_id="20261125T080000Z-abcdef",
        node_id=node_id,
        outcome=Outcome.REPORTED if seen else Outcome.UNREPORTED,
        simulated=seen is not None and seen.meta.origin is Origin.SIMULATED,
        visit=Visit(stages_ms={}, sent_bytes=10, received_bytes=20, noise_bytes=0, host_key=None),
        envelope=seen,
        failure=failure,
    )


def local_node(node_id: str = "here", **parts: Any) -> Node:
    """A node that is this machine."""
    return Node(node_id=node_id, transport="local", origin="test:1", **parts)
