"""A health sweep: how are the nodes?"""

from sparkctl.app.run import Asked, RunRequest, run_fleet
from sparkctl.errors import ExitCode
from sparkctl.executor.question import HEALTH
from sparkctl.model.vocabulary import Status
from sparkctl.probes.program import bundle
from sparkctl.report.outputs import SweepOutput
from sparkctl.report.tally import Tally
from sparkctl.resources import shipped
from sparkctl.store.entries import RunKind


def sweep(request: RunRequest, output: SweepOutput, *, fail_on: Status = Status.FAIL) -> ExitCode:
    """Judge the selected nodes; `fail_on` is the status from which the exit code is 1. Raises as `run_fleet` does."""
    asked = Asked(RunKind.HEALTH, bundle(shipped("diag"), "health"), HEALTH, Tally(fail_on))
    return run_fleet(request, asked, output)
