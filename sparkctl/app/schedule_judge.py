"""Whether a scheduled run did its work, whatever it found."""

from sparkctl.app.schedule_child import Ended
from sparkctl.errors import ExitCode
from sparkctl.model.reports import RunReport
from sparkctl.model.schedule import Coverage, Heartbeat, Schedule

_NAMES = {int(code): code.name.lower() for code in ExitCode}
_ANSWERS = frozenset({ExitCode.OK, ExitCode.FINDINGS, ExitCode.UNJUDGED, ExitCode.REFUSED, ExitCode.SINK_FAILED})
"""Exit codes of a run over nodes that came to its end."""


def exit_name(code: int) -> str | None:
    """The name of an exit code of ours."""
    return _NAMES.get(code)


def coverage_of(report: RunReport | None) -> Coverage | None:
    """How much of the selection a report covers."""
    if report is None:
        return None
    return Coverage(selected=report.selected, reported=report.reported, unreported=report.unreported)


def why_failed(schedule: Schedule, ended: Ended, coverage: Coverage | None) -> str | None:
    """Why the run did not do its work; None when it did."""
    cut = _cut_short(schedule, ended, coverage)
    if cut is not None:
        return cut
    answers = _ANSWERS if schedule.does.selects else {ExitCode.OK}
    if ended.code not in answers:
        return f"{schedule.run} ended with {_words(ended.code)}"
    if not schedule.does.asks:
        return None
    if coverage is None:
        return f"{schedule.run} ended with {_words(ended.code)} and without a report"
    if coverage.reported < schedule.min_coverage * coverage.selected:
        return f"too few nodes reported, less than {schedule.min_coverage:.0%}"
    return None


def _cut_short(schedule: Schedule, ended: Ended, coverage: Coverage | None) -> str | None:
    """A run that was stopped in good order has a report, and is judged by that."""
    if ended.killed:
        return f"{schedule.run} did not end in time and was killed"
    if ended.late and coverage is None:
        return f"{schedule.run} was stopped at its deadline of {schedule.deadline_s} s"
    return f"{schedule.run} was ended by signal {-ended.code}" if ended.code < 0 else None


def summary(heartbeat: Heartbeat) -> str:
    """One line: what became of a run, and how much of the fleet it covers."""
    code = _words(heartbeat.exit_code) if heartbeat.exit_code is not None else "a signal"
    words = f"failed, {heartbeat.why}" if heartbeat.why else f"done, {heartbeat.run} ended with {code}"
    covered = heartbeat.coverage
    return f"{words}; {covered.reported} of {covered.selected} nodes reported" if covered else words


def _words(code: int) -> str:
    name = exit_name(code)
    return f"{code} ({name})" if name else f"exit code {code}"
