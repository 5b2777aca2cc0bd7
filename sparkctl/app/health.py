"""A health sweep: how are the nodes? At level L2 it brings the evidence as well."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sparkctl.app.bundle_collect import BundleOptions, collect_bundles
from sparkctl.app.named_collectors import NO_REPORTS, Reports, reports_among
from sparkctl.app.programs import program_of
from sparkctl.app.run import Asked, RunRequest, run_fleet
from sparkctl.errors import ExitCode
from sparkctl.executor.question import HEALTH
from sparkctl.inventory.ranges import fold
from sparkctl.model.alert import AlertNews
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Status
from sparkctl.report.outputs import Report, SweepOutput
from sparkctl.report.tally import Tally
from sparkctl.store.entries import RunKind

PRESSING = (ExitCode.FINDINGS, ExitCode.REFUSED, ExitCode.UNJUDGED, ExitCode.SINK_FAILED, ExitCode.OK)
"""Which of two exit codes is that of both, the most pressing first; see docs/exit-codes.md."""


def sweep(
    request: RunRequest, output: SweepOutput, *, fail_on: Status = Status.FAIL, reports: Reports = NO_REPORTS
) -> ExitCode:
    """Judge the selected nodes; `fail_on` is the status from which the exit code is 1. Raises as `run_fleet` does.

    `reports` are what the nodes will be asked for afterwards, which each of them must allow.
    """
    asked = Asked(RunKind.HEALTH, program_of("health"), HEALTH, Tally(fail_on), require=reports.require)
    return run_fleet(request, asked, output)


def sweep_with_bundles(
    request: RunRequest, outputs: tuple[SweepOutput, SweepOutput], options: BundleOptions, *, fail_on: Status
) -> ExitCode:
    """Judge the selected nodes, then bring a bundle of each one that answered, both within the deadline of the request.

    These are two runs, each with its report. Raises as `run_fleet` does.
    """
    started, watched = time.monotonic(), _Watched(outputs[0])
    code = sweep(request, watched, fail_on=fail_on, reports=reports_among(options.named))
    left = None if request.deadline_s is None else request.deadline_s - (time.monotonic() - started)
    if watched.interrupted or not watched.reported or (left is not None and left <= 0):
        return code
    following = replace(request, selector=fold(watched.reported), shard=None, deadline_s=left, workers=1)
    return min(code, collect_bundles(following, options, outputs[1]), key=PRESSING.index)


@dataclass
class _Watched:
    """An output that remembers who answered, and whether the run came to its end."""

    output: SweepOutput
    reported: list[str] = field(default_factory=list)
    interrupted: bool = False

    def begin(self, selected: int) -> None:
        self.output.begin(selected)

    def outcome(self, outcome: NodeOutcome) -> None:
        if outcome.failure is None:
            self.reported.append(outcome.node_id)
        self.output.outcome(outcome)

    def tick(self, awaited: Collection[str]) -> None:
        self.output.tick(awaited)

    def end(self, report: Report) -> None:
        self.interrupted = report.interrupted
        self.output.end(report)

    def alerts(self, news: AlertNews) -> None:
        self.output.alerts(news)
