"""What became of a node, and what a run came to, as events."""

from sparkctl.errors import ExitCode
from sparkctl.model.event import EventKind, EventSeverity, Told, severity_of, told
from sparkctl.model.outcome import BootEnd, Judgement, NodeOutcome
from sparkctl.model.reports import COMMAND_OF, RunReport
from sparkctl.model.reset_report import EndKind, kind_of
from sparkctl.model.run import Failure
from sparkctl.model.vocabulary import REFUSALS, Status

_OF_EXIT = {
    ExitCode.OK: EventSeverity.INFO,
    ExitCode.UNJUDGED: EventSeverity.WARNING,
    ExitCode.FINDINGS: EventSeverity.ERROR,
    ExitCode.REFUSED: EventSeverity.CRITICAL,
}
_OF_END = {EndKind.UNEXPECTED: EventSeverity.ERROR, EndKind.CUT_OFF: EventSeverity.WARNING}
_OF_END |= {EndKind.NOT_TOLD: EventSeverity.WARNING}


def of_outcome(outcome: NodeOutcome) -> Told:
    """The event of a visit; its body is the run record."""
    severity, words = _said(outcome)
    return told(
        EventKind.VISIT,
        outcome.record,
        severity=severity,
        at=outcome.ts,
        summary=f"{outcome.node_id}: {words}",
        node_id=outcome.node_id,
        simulated=outcome.simulated,
    )


def of_report(report: RunReport) -> Told:
    """The event of a run that is over; its body is the report."""
    code = ExitCode(report.exit_code)
    missing = f", {report.unreported} did not" if report.unreported else ""
    cut = "; it was cut short" if report.interrupted else ""
    return told(
        EventKind.RUN,
        report.model_dump_json(),
        severity=_OF_EXIT.get(code, EventSeverity.ERROR),
        at=report.finished_at,
        summary=f"{COMMAND_OF[report.report_schema]} of {report.selector}: {report.reported} of {report.selected} nodes"
        f" reported{missing}; it ended with {report.exit_code} ({report.exit_name}){cut}",
        simulated=report.simulated,
    )


def _said(outcome: NodeOutcome) -> tuple[EventSeverity, str]:
    if outcome.failure is not None:
        return _failure(outcome.failure)
    if outcome.judgement is not None:
        return _judgement(outcome.judgement)
    if outcome.reset is not None:
        return _end(outcome.reset.ends[0]) if outcome.reset.ends else (EventSeverity.INFO, "no end of a boot is known")
    if outcome.bundle is not None:
        gaps = len(outcome.bundle.gaps)
        return (
            EventSeverity.INFO,
            f"a bundle of it was sealed, {gaps} artefacts not whole" if gaps else "a bundle of it was sealed",
        )
    facts = outcome.facts
    gaps = sum(len(found) for found in facts.gaps.values()) if facts else 0
    return (
        EventSeverity.INFO,
        f"{len(facts.facets) if facts else 0} facets were collected, {gaps} fields could not be read",
    )


def _failure(failure: Failure) -> tuple[EventSeverity, str]:
    words = f"{failure.stage}, {failure.cause}: {failure.message}"
    said = "it was refused" if failure.cause in REFUSALS else "it did not report"
    return severity_of(failure.cause), f"{said}: {words}"


def _judgement(judgement: Judgement) -> tuple[EventSeverity, str]:
    """The worst that was found; a required check that stayed unknown is no health."""
    failed, warned, unknown = (
        [one for one in judgement.notable if one.status is status and (status is not Status.UNKNOWN or one.required)]
        for status in (Status.FAIL, Status.WARN, Status.UNKNOWN)
    )
    counts = ((failed, "failed"), (warned, "warned"), (unknown, "stayed unknown"))
    words = ", ".join(f"{len(found)} {word}" for found, word in counts if found)
    first = next((found[0] for found, _ in counts if found), None)
    evaluated = f"{judgement.rollup.evaluated} of {judgement.rollup.planned} checks evaluated"
    if first is None:
        nothing = judgement.rollup.worst is None
        return (
            (EventSeverity.WARNING, "nothing could be judged")
            if nothing
            else (EventSeverity.INFO, f"passed, {evaluated}")
        )
    severity = EventSeverity.ERROR if failed else EventSeverity.WARNING
    return severity, f"{words}; {first.check}: {first.summary}; {evaluated}"


def _end(end: BootEnd) -> tuple[EventSeverity, str]:
    kind = kind_of(end.claims, end.expected)
    return _OF_END.get(kind, EventSeverity.INFO), f"its last boot ended: {end.words}"
