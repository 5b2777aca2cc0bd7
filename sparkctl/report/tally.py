"""Fold outcomes into the sweep report, one at a time, keeping names and counts but no envelopes."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_key, natural_sorted
from sparkctl.model.health import Finding, Rollup
from sparkctl.model.outcome import NOTABLE, NodeOutcome
from sparkctl.model.run import Failure
from sparkctl.model.sweep import (
    BastionCost,
    FoldedFailure,
    FoldedFinding,
    NodeWarning,
    SweepReport,
)
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause, Stage, Status, UnknownReason

FindingKey = tuple[str, Status, UnknownReason | None, str]
FailureKey = tuple[Stage, Cause]

_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


@dataclass
class Alike:
    """Nodes on which something came out alike, with the words of the first of them by name."""

    nodes: list[str] = field(default_factory=list)
    example_node: str = ""
    words: Finding | Failure | None = None

    def add(self, node_id: str, words: Finding | Failure) -> None:
        """Add a node."""
        if not self.nodes or natural_key(node_id) < natural_key(self.example_node):
            self.example_node, self.words = node_id, words
        self.nodes.append(node_id)


@dataclass
class Tally:
    """What has been seen of a sweep so far; `fail_on` is the status from which the exit code is 1."""

    fail_on: Status = Status.FAIL
    reported: int = 0
    unreported: int = 0
    not_fully_judged: int = 0
    simulated: bool = False
    worst: Counter[str] = field(default_factory=Counter)
    warnings: list[NodeWarning] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._findings: defaultdict[FindingKey, Alike] = defaultdict(Alike)
        self._unreported: defaultdict[FailureKey, Alike] = defaultdict(Alike)
        self._evaluated = self._applicable = 0
        self._node_cpu_ms = self._received_bytes = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        self.warnings += [NodeWarning(node_id=outcome.node_id, message=warning) for warning in outcome.warnings]
        self.simulated |= outcome.simulated
        self._received_bytes += outcome.received_bytes
        if outcome.failure is not None:
            self.unreported += 1
            self._unreported[outcome.failure.stage, outcome.failure.cause].add(outcome.node_id, outcome.failure)
            return
        self.reported += 1
        assert outcome.judgement is not None  # noqa: S101 - decoding guarantees it
        self._node_cpu_ms += outcome.judgement.cpu_ms
        self._count(outcome.judgement.rollup)
        for finding in outcome.judgement.notable:
            shape = _FIGURES.sub("#", finding.summary)
            self._findings[finding.check, finding.status, finding.reason, shape].add(outcome.node_id, finding)

    def _count(self, rollup: Rollup) -> None:
        self.worst[rollup.worst.value if rollup.worst else "none"] += 1
        self._evaluated += rollup.evaluated
        self._applicable += rollup.planned - rollup.not_applicable
        if rollup.worst is None or (rollup.worst is Status.PASS and rollup.required_unevaluated):
            self.not_fully_judged += 1

    @property
    def completeness(self) -> float:
        """Evaluated checks among those that applied, over all reported nodes."""
        return round(self._evaluated / self._applicable, 4) if self._applicable else 0.0

    def findings(self) -> list[FoldedFinding]:
        """What failed, warned or stayed unknown, the most pressing and most widespread first."""
        folded = [_folded_finding(alike) for alike in self._findings.values()]
        return sorted(folded, key=_pressing)

    def failures(self) -> list[FoldedFailure]:
        """The ways of not reporting, the most widespread first."""
        folded = [folded_failure(alike) for alike in self._unreported.values()]
        return sorted(folded, key=lambda one: (-len(one.nodes), one.stage, one.cause))

    def exit_code(self) -> ExitCode:
        """Findings before refusals before what could not be judged; see docs/exit-codes.md."""
        tripped = {Status.FAIL, Status.WARN} if self.fail_on is Status.WARN else {Status.FAIL}
        if any(status in tripped for _, status, _, _ in self._findings):
            return ExitCode.FINDINGS
        if any(cause in REFUSALS for _, cause in self._unreported):
            return ExitCode.REFUSED
        unknown = [alike.words for key, alike in self._findings.items() if key[1] is Status.UNKNOWN]
        required = any(isinstance(words, Finding) and words.required for words in unknown)
        return ExitCode.UNJUDGED if self.unreported or required or self.not_fully_judged else ExitCode.OK

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
    ) -> SweepReport:
        """The report of the whole sweep; raises ValueError when a selected node was neither reported nor unreported."""
        code = self.exit_code()
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
            not_fully_judged=self.not_fully_judged,
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


def _folded_finding(alike: Alike) -> FoldedFinding:
    assert isinstance(alike.words, Finding)  # noqa: S101 - findings are only folded with findings
    return FoldedFinding(
        check=alike.words.check,
        status=alike.words.status,
        reason=alike.words.reason,
        required=alike.words.required,
        nodes=natural_sorted(alike.nodes),
        example=alike.words.summary,
        example_node=alike.example_node,
        action=alike.words.action,
    )


def folded_failure(alike: Alike) -> FoldedFailure:
    """Nodes that failed alike, with the words of the first of them."""
    assert isinstance(alike.words, Failure)  # noqa: S101 - and failures with failures
    return FoldedFailure(
        stage=alike.words.stage,
        cause=alike.words.cause,
        nodes=natural_sorted(alike.nodes),
        example=alike.words.message,
        example_node=alike.example_node,
        hint=alike.words.hint,
    )


def _pressing(finding: FoldedFinding) -> tuple[int, bool, int, str, str]:
    pressing = NOTABLE.index(finding.status), not finding.required, -len(finding.nodes)
    return (*pressing, finding.check, finding.example)
