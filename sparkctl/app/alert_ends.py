"""Ends of boots that nobody is known to have wanted."""

from collections.abc import Iterator

from sparkctl.model.alert import AlertKind, AlertSeverity
from sparkctl.model.alert_book import Problem, fingerprint_of
from sparkctl.model.reset import ResetEnvelope, Transition
from sparkctl.model.reset_report import EndKind, ResetReport, kind_of
from sparkctl.model.run import RunRecord
from sparkctl.store.entries import RunEntry
from sparkctl.store.store import Store

_TOLD = {EndKind.UNEXPECTED: AlertSeverity.FAIL, EndKind.CUT_OFF: AlertSeverity.WARN}


def ends_of(store: Store, run: RunEntry) -> Iterator[Problem]:
    """The ends in a run that are to be told, each once for the boot that ended."""
    for record in _records(store, run):
        data = record.envelope.data if isinstance(record.envelope, ResetEnvelope) else None
        for transition in data.transitions if data else ():
            severity = _TOLD.get(kind_of(transition.claims, transition.flat.expected))
            boot = transition.from_boot_id or transition.to_boot_id
            if severity is not None and boot is not None:
                yield _problem(record.node_id, boot, transition, severity)


def _records(store: Store, run: RunEntry) -> Iterator[RunRecord]:
    """The records that may tell of such an end: those that the report names, all where there is none."""
    if isinstance(run.report, ResetReport):
        nodes = {node for answer in run.report.answers if answer.kind in _TOLD for node in answer.nodes}
        return store.records_of(run.run_id, nodes)
    return store.records(run.run_id)


def _problem(node: str, boot: str, transition: Transition, severity: AlertSeverity) -> Problem:
    wanted = "" if severity is AlertSeverity.FAIL else "; whether that was wanted is not known"
    return Problem(
        fingerprint=fingerprint_of(AlertKind.BOOT_END.value, boot, node),
        kind=AlertKind.BOOT_END,
        subject=transition.claims.termination,
        scope=boot,
        node=node,
        severity=severity,
        summary=f"a boot ended: {transition.flat.words}{wanted}",
        action=f"see the proof, and what stays open: sparkctl reset-reason {node}",
        simulated=False,
        words_of=node,
    )
