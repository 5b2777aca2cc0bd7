"""Fold run records into the sweep report, one record at a time, keeping names and counts but no envelopes."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sparkctl.errors import ExitCode
from sparkctl.model.health import Finding
from sparkctl.model.run import Failure, RunRecord
from sparkctl.model.sweep import (
    BastionCost,
    FoldedFailure,
    FoldedFinding,
    NodeWarning,
    SweepReport,
)
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause, Origin, Stage, Status, UnknownReason

FindingKey = tuple[str, Status, UnknownReason | None]
FailureKey = tuple[Stage, Cause]

REPORTED_STATUSES = (Status.FAIL, Status.WARN, Status.UNKNOWN)
"""The statuses a report names nodes for, the most pressing first."""


@dataclass
class Tally:
    """What has been seen of a sweep so far."""

    reported: int = 0
    unreported: int = 0
    simulated: bool = False
    worst: Counter[str] = field(default_factory=Counter)
    warnings: list[NodeWarning] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._nodes: defaultdict[FindingKey, list[str]] = defaultdict(list)
        self._examples: dict[FindingKey, Finding] = {}
        self._unreported: defaultdict[FailureKey, list[str]] = defaultdict(list)
        self._failures: dict[FailureKey, Failure] = {}
        self._evaluated = self._applicable = 0
        self._node_cpu_ms = self._received_bytes = 0

    def add(self, record: RunRecord) -> None:
        """Count one record."""
        self.warnings += [NodeWarning(node_id=record.node_id, message=warning) for warning in record.warnings]
        self._received_bytes += record.visit.received_bytes if record.visit else 0
        if record.failure is not None:
            self.unreported += 1
            key = record.failure.stage, record.failure.cause
            self._unreported[key].append(record.node_id)
            self._failures.setdefault(key, record.failure)
            return
        self.reported += 1
        assert record.envelope is not None  # noqa: S101 - the model guarantees it
        assert record.envelope.data is not None  # noqa: S101 - so does decoding
        self.simulated |= record.envelope.meta.origin is Origin.SIMULATED
        self._node_cpu_ms += record.envelope.meta.cost.cpu_ms
        rollup = record.envelope.data.rollup
        self.worst[rollup.worst.value if rollup.worst else "none"] += 1
        self._evaluated += rollup.evaluated
        self._applicable += rollup.planned - rollup.not_applicable
        for finding in record.envelope.data.findings:
            if finding.status in REPORTED_STATUSES:
                self._add_finding(record.node_id, finding)

    @property
    def completeness(self) -> float:
        """Evaluated checks among those that applied, over all reported nodes."""
        return round(self._evaluated / self._applicable, 4) if self._applicable else 0.0

    def findings(self) -> list[FoldedFinding]:
        """What failed, warned or stayed unknown, the most pressing and most widespread first."""
        return [self._folded(key) for key in sorted(self._nodes, key=self._pressing)]

    def failures(self) -> list[FoldedFailure]:
        """The ways of not reporting, the most widespread first."""
        return [
            FoldedFailure(
                stage=key[0],
                cause=key[1],
                nodes=sorted(nodes),
                example=self._failures[key].message,
                hint=self._failures[key].hint,
            )
            for key, nodes in sorted(self._unreported.items(), key=lambda item: (-len(item[1]), item[0]))
        ]

    def exit_code(self, *, fail_on: Status = Status.FAIL) -> ExitCode:
        """Findings before refusals before what could not be judged; see docs/exit-codes.md."""
        tripped = {Status.FAIL, Status.WARN} if fail_on is Status.WARN else {Status.FAIL}
        if any(status in tripped for _, status, _ in self._nodes):
            return ExitCode.FINDINGS
        if any(cause in REFUSALS for _, cause in self._unreported):
            return ExitCode.REFUSED
        required_unknown = any(key[1] is Status.UNKNOWN and self._examples[key].required for key in self._nodes)
        return ExitCode.UNJUDGED if self.unreported or required_unknown else ExitCode.OK

    def report(
        self,
        *,
        tool: str,
        run_id: str,
        started_at: datetime,
        finished_at: datetime,
        duration_ms: int,
        program_sha256: str,
        selector: str,
        shard: str | None,
        resumes: str | None,
        selected: int,
        cost: BastionCost,
        fail_on: Status,
    ) -> SweepReport:
        """The report of the whole sweep; raises ValueError when a selected node was neither reported nor unreported."""
        code = self.exit_code(fail_on=fail_on)
        return SweepReport(
            tool=tool,
            run_id=run_id,
            started_at=started_at,
            finished_at=finished_at,
            duration_ms=duration_ms,
            program_sha256=program_sha256,
            selector=selector,
            shard=shard,
            resumes=resumes,
            selected=selected,
            reported=self.reported,
            unreported=self.unreported,
            interrupted=any(cause in CUT_SHORT for _, cause in self._unreported),
            simulated=self.simulated,
            worst=dict(sorted(self.worst.items())),
            completeness=self.completeness,
            findings=self.findings(),
            failures=self.failures(),
            warnings=sorted(self.warnings, key=lambda warning: warning.node_id),
            node_cpu_ms=self._node_cpu_ms,
            received_bytes=self._received_bytes,
            cost=cost,
            exit_code=code,
            exit_name=code.name.lower(),
        )

    def _add_finding(self, node_id: str, finding: Finding) -> None:
        key = finding.check, finding.status, finding.reason
        self._nodes[key].append(node_id)
        self._examples.setdefault(key, finding)

    def _pressing(self, key: FindingKey) -> tuple[int, bool, int, str]:
        required = self._examples[key].required
        return REPORTED_STATUSES.index(key[1]), not required, -len(self._nodes[key]), key[0]

    def _folded(self, key: FindingKey) -> FoldedFinding:
        example = self._examples[key]
        return FoldedFinding(
            check=key[0],
            status=key[1],
            reason=key[2],
            required=example.required,
            nodes=sorted(self._nodes[key]),
            example=example.summary,
            action=example.action,
        )
