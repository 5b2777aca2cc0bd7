"""Run records and reports to put into a store, and hypothesis strategies for any others."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from sparkctl.model.base import Record
from sparkctl.model.envelope import Clock, Cost, ErrorItem, HealthEnvelope, Limits, Meta, NodeFacts
from sparkctl.model.fleet_report import BastionCost, RunStart
from sparkctl.model.health import Finding, HealthData, Reading, Threshold, roll_up
from sparkctl.model.run import Failure, RunRecord, Visit
from sparkctl.model.sweep import SweepReport
from sparkctl.model.vocabulary import (
    Cause,
    Comparison,
    Elevation,
    Origin,
    Outcome,
    Severity,
    Stage,
    Status,
    UnknownReason,
)
from sparkctl.store import Store, SweepLock
from tests.support.strategies import LETTERS

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DIGEST = "5" * 64

AnyRecord = TypeVar("AnyRecord", bound=Record)


def make(model: type[AnyRecord], **fields: object) -> AnyRecord:
    """Make a document whose field `schema` mypy knows under another name."""
    return model.model_validate(fields)


def finding(check: str, status: Status, value: float | str | None = 81.5) -> Finding:
    return Finding(
        check=check,
        status=status,
        required=True,
        summary=f"{check} is {status}",
        reason=UnknownReason.TIMEOUT if status is Status.UNKNOWN else None,
        value=value,
        unit="%",
        action="look at it",
    )


def envelope(findings: list[Finding], hostname: str = "spark01") -> HealthEnvelope:
    return HealthEnvelope(
        ok=True,
        data=HealthData(level="L1", findings=findings, rollup=roll_up(findings)),
        errors=[],
        meta=make(
            Meta,
            tool="spark_diagctl",
            version="0.1.0",
            schema="sparkctl.health/1",
            collected_at_utc=NOON,
            node=NodeFacts(
                hostname=hostname, boot_id=None, serial=None, serial_source="not_permitted", product="DGX Spark"
            ),
            program_sha256=DIGEST,
            limits=Limits(seconds=30.0, bytes=262144),
            cost=Cost(wall_ms=700, cpu_ms=120, children=4, bytes=1000),
            elevation=Elevation.NONE,
            origin=Origin.SIMULATED,
            truncated=False,
            truncation=[],
            clock=Clock(synchronised=True),
        ),
    )


def reported(
    run_id: str, node_id: str, statuses: Mapping[str, Status] | None = None, *, after: timedelta = timedelta()
) -> RunRecord:
    """A record of a node that reported the given checks."""
    checks = {"disk.space": Status.PASS} if statuses is None else statuses
    return RunRecord(
        tool="sparkctl 0.1.0",
        ts=NOON + after,
        host=node_id,
        status="ok",
        rc=0,
        duration_ms=812,
        summary={"disk": "pass"},
        warnings=[],
        artifacts=[],
        run_id=run_id,
        node_id=node_id,
        outcome=Outcome.REPORTED,
        simulated=False,
        visit=Visit(stages_ms={Stage.CONNECT: 3}, sent_bytes=10, received_bytes=20, noise_bytes=0, host_key=None),
        envelope=envelope([finding(check, status) for check, status in checks.items()], node_id),
        failure=None,
    )


def unreported(run_id: str, node_id: str, *, after: timedelta = timedelta()) -> RunRecord:
    """A record of a node that refused the connection."""
    return RunRecord(
        tool="sparkctl 0.1.0",
        ts=NOON + after,
        host=node_id,
        status="connect.connection_refused",
        rc=None,
        duration_ms=3,
        summary={},
        warnings=[],
        artifacts=[],
        run_id=run_id,
        node_id=node_id,
        outcome=Outcome.UNREPORTED,
        simulated=False,
        visit=None,
        envelope=None,
        failure=Failure(stage=Stage.CONNECT, cause=Cause.CONNECTION_REFUSED, message="nobody listens on port 22"),
    )


def report(run_id: str, *, interrupted: bool = False) -> SweepReport:
    return SweepReport(
        tool="sparkctl 0.1.0",
        run_id=run_id,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=9),
        duration_ms=9000,
        program_sha256=DIGEST,
        selector="spark[01-02]",
        shard=None,
        resumes=None,
        selected=2,
        reported=2,
        unreported=0,
        interrupted=interrupted,
        simulated=True,
        worst={"pass": 2},
        not_fully_judged=0,
        completeness=1.0,
        findings=[],
        failures=[],
        warnings=[],
        node_cpu_ms=240,
        received_bytes=40,
        cost=BastionCost(cpu_s=0.25, peak_rss_bytes=50_000_000),
        exit_code=0,
        exit_name="ok",
    )


def begin(store: Store, lock: SweepLock, run_id: str) -> None:
    store.begin_run(
        lock,
        RunStart(
            run_id=run_id,
            tool="sparkctl 0.1.0",
            started_at=NOON,
            selector="spark[01-02]",
            program_sha256=DIGEST,
            selected=2,
        ),
    )


_texts = st.text(LETTERS, max_size=30)
_words = st.text(LETTERS, min_size=1, max_size=20)
_counts = st.integers(0, 2**53 - 1)
# Between 2**53 and 1e21 canonical JSON writes a double without a point, and it reads back as an integer.
_doubles = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) <= 2**53 or abs(x) >= 1e21)
_scalars = st.one_of(st.booleans(), st.integers(), _doubles, _texts)
_moments = st.datetimes(timezones=st.just(UTC))
_codes = st.from_regex(r"[a-z][a-z0-9_]{0,9}\.[a-z0-9_]{1,9}", fullmatch=True)


@st.composite
def _findings(draw: st.DrawFn, check: str) -> Finding:
    status = draw(st.sampled_from(Status))
    return Finding(
        check=check,
        status=status,
        required=draw(st.booleans()),
        summary=draw(_texts),
        reason=draw(st.sampled_from(UnknownReason)) if status is Status.UNKNOWN else None,
        value=draw(st.none() | _scalars),
        unit=draw(st.none() | _words),
        threshold=draw(
            st.none() | st.builds(Threshold, comparison=st.sampled_from(Comparison), provenance=_texts, warn=_scalars)
        ),
        action=draw(_words),
        readings=draw(st.lists(st.builds(Reading, name=_words, value=_scalars, unit=st.none() | _words), max_size=2)),
    )


@st.composite
def records(draw: st.DrawFn, run_id: str, node_id: str) -> RunRecord:
    """Any record of this run and node."""
    base = draw(st.sampled_from([reported(run_id, node_id), unreported(run_id, node_id)]))
    changed: dict[str, object] = {
        "ts": draw(_moments),
        "duration_ms": draw(_counts),
        "summary": draw(st.dictionaries(_words, _words, max_size=3)),
        "warnings": draw(st.lists(_texts, max_size=3)),
        "visit": draw(
            st.none()
            | st.builds(
                Visit,
                stages_ms=st.dictionaries(st.sampled_from(Stage), _counts),
                sent_bytes=_counts,
                received_bytes=_counts,
                noise_bytes=_counts,
                host_key=st.none() | _words,
            )
        ),
    }
    if base.failure:
        changed["failure"] = draw(
            st.builds(Failure, stage=st.sampled_from(Stage), cause=st.sampled_from(Cause), message=_texts)
        )
    else:
        checks = draw(st.lists(_codes, unique=True, max_size=4))
        whole = envelope([draw(_findings(check)) for check in checks])
        errors = st.lists(
            st.builds(ErrorItem, code=_codes, message=_texts, severity=st.sampled_from(Severity)), max_size=2
        )
        changed["envelope"] = whole.model_copy(update={"errors": draw(errors)})
    return base.model_copy(update=changed)
