"""Fold outcomes into the sweep report, one at a time, keeping names and counts but no envelopes."""

import re
from collections import Counter

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_sorted
from sparkctl.model.fleet_report import RunEnd, RunStart
from sparkctl.model.health import Finding, Rollup
from sparkctl.model.outcome import NOTABLE, NodeOutcome
from sparkctl.model.sweep import FoldedFinding, SweepReport
from sparkctl.model.vocabulary import Status, UnknownReason
from sparkctl.report.answers import Alike, Answers

FindingKey = tuple[str, Status, UnknownReason | None, str]

_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


class Tally(Answers):
    """What has been seen of a sweep so far; `fail_on` is the status from which the exit code is 1."""

    def __init__(self, fail_on: Status = Status.FAIL) -> None:
        super().__init__()
        self._fail_on = fail_on
        self._findings: dict[FindingKey, Alike[Finding]] = {}
        self._worst: Counter[str] = Counter()
        self._not_fully_judged = self._evaluated = self._applicable = self._node_cpu_ms = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        if not self.count(outcome):
            return
        assert outcome.judgement is not None  # noqa: S101 - decoding guarantees it
        self._node_cpu_ms += outcome.judgement.cpu_ms
        self._count_rollup(outcome.judgement.rollup)
        for finding in outcome.judgement.notable:
            shape = _FIGURES.sub("#", finding.summary)
            Alike.note(self._findings, (finding.check, finding.status, finding.reason, shape), outcome.node_id, finding)

    def _count_rollup(self, rollup: Rollup) -> None:
        self._worst[rollup.worst.value if rollup.worst else "none"] += 1
        self._evaluated += rollup.evaluated
        self._applicable += rollup.planned - rollup.not_applicable
        if rollup.worst is None or (rollup.worst is Status.PASS and rollup.required_unevaluated):
            self._not_fully_judged += 1

    @property
    def completeness(self) -> float:
        """Evaluated checks among those that applied, over all reported nodes."""
        return round(self._evaluated / self._applicable, 4) if self._applicable else 0.0

    def findings(self) -> list[FoldedFinding]:
        """What failed, warned or stayed unknown, the most pressing and most widespread first."""
        folded = [_folded_finding(alike) for alike in self._findings.values()]
        return sorted(folded, key=_pressing)

    def exit_code(self) -> ExitCode:
        """Findings before refusals before what could not be judged; see docs/exit-codes.md."""
        tripped = {Status.FAIL, Status.WARN} if self._fail_on is Status.WARN else {Status.FAIL}
        if any(status in tripped for _, status, _, _ in self._findings):
            return ExitCode.FINDINGS
        if self.refused:
            return ExitCode.REFUSED
        unknown = (alike.words for key, alike in self._findings.items() if key[1] is Status.UNKNOWN)
        required = any(finding.required for finding in unknown)
        return ExitCode.UNJUDGED if self.unreported or required or self._not_fully_judged else ExitCode.OK

    def report(self, start: RunStart, end: RunEnd) -> SweepReport:
        """The report of the whole sweep; raises ValueError when a selected node was neither reported nor unreported."""
        return SweepReport(
            **self.told(start, end, self.exit_code()),
            worst=dict(sorted(self._worst.items())),
            not_fully_judged=self._not_fully_judged,
            completeness=self.completeness,
            findings=self.findings(),
            node_cpu_ms=self._node_cpu_ms,
        )


def _folded_finding(alike: Alike[Finding]) -> FoldedFinding:
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


def _pressing(finding: FoldedFinding) -> tuple[int, bool, int, str, str]:
    pressing = NOTABLE.index(finding.status), not finding.required, -len(finding.nodes)
    return (*pressing, finding.check, finding.example)
