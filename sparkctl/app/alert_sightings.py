"""What a stored run saw, as alerting wants it: from its report, its vectors and what came out otherwise."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from sparkctl.app.alert_changes import Change, changes_of, is_expected
from sparkctl.app.alert_ends import ends_of
from sparkctl.app.baseline_file import BaselineFile
from sparkctl.model.alert import AlertKind, AlertSeverity
from sparkctl.model.alert_book import Book, Condition, Place, Problem, RunSeen, fingerprint_of
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.fleet_report import FoldedFailure
from sparkctl.model.inventory import Fleet
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.sweep import FoldedFinding, SweepReport
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Origin, Outcome, Stage, Status
from sparkctl.report.answers import Answers
from sparkctl.report.tally import Tally
from sparkctl.store.entries import RunEntry, RunKind
from sparkctl.store.store import Store
from sparkctl.store.vectors import HEALTH, Vector

_REACHED = (Stage.RUN, Stage.DECODE, Stage.SEAL)
_GONE, _UNSEEN, _AGAIN = "gone", "unseen", "again"
Words = dict[tuple[str, str], tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One run, read from the store once; `against` a book it says what became of what is known."""

    run: RunEntry
    rules: AlertRules
    visited: dict[str, Vector]
    verdicts: dict[str, dict[str, Status]]
    problems: dict[str, Problem]
    changes: dict[tuple[str, str], Change]
    baseline: BaselineFile | None

    def against(self, book: Book, muted: dict[str, str], places: tuple[Place, ...]) -> RunSeen:
        """What the run saw of all that is in the book, and what is new."""
        problems = dict(self.problems)
        fates: dict[str, list[str]] = {_GONE: [], _UNSEEN: []}
        for name, one in book.conditions.items():
            vector = self.visited.get(one.problem.node)
            if vector is None or one.resolved_at is not None:
                continue
            self._drop_return(one, problems)
            if name in problems:
                continue
            fate = self._fate(one.problem, vector)
            if fate == _AGAIN:
                problems[name] = one.problem
            elif fate is not None:
                fates[fate].append(name)
        return RunSeen(
            run_id=self.run.run_id,
            at=self.run.finished_at or self.run.started_at,
            problems=problems,
            cleared=fates[_GONE],
            unseen=fates[_UNSEEN],
            muted=muted,
            places=places,
        )

    def _drop_return(self, condition: Condition, problems: dict[str, Problem]) -> None:
        """A value that is back to what it was ends the alert of its change, and is no change of its own."""
        problem = condition.problem
        if problem.kind is AlertKind.CHANGED:
            change = self.changes.get((problem.node, problem.scope))
            if change is not None and change.after_digest == problem.before:
                problems.pop(change.fingerprint(problem.node), None)

    def _fate(self, problem: Problem, vector: Vector) -> str | None:
        """What the visit says of a known problem that it did not bring up again; None: it was not asked."""
        if vector.cause in CUT_SHORT or vector.stage is Stage.SCHEDULE:
            return None
        if problem.kind is AlertKind.UNREPORTED:
            return self._fate_of_failure(problem, vector)
        if problem.kind is AlertKind.REFUSED:
            return _GONE if vector.outcome is Outcome.REPORTED else _UNSEEN
        if problem.kind is AlertKind.CHANGED:
            return self._fate_of_change(problem, vector) if self.run.kind is RunKind.COLLECT else None
        return self._fate_of_check(problem, vector) if self.run.kind is RunKind.HEALTH else None

    def _fate_of_check(self, problem: Problem, vector: Vector) -> str | None:
        if problem.kind is AlertKind.BOOT_END:
            return None
        if vector.outcome is Outcome.UNREPORTED:
            return _UNSEEN
        status = self.verdicts[vector.parts[HEALTH]].get(problem.scope)
        told = status is not None and (status is not Status.UNKNOWN or problem.kind is AlertKind.UNKNOWN)
        return _GONE if told or self.rules.ignores(problem.scope) else _UNSEEN

    def _fate_of_failure(self, problem: Problem, vector: Vector) -> str | None:
        """Whoever was reached is not out of reach; what a program failed at, only that program can mend."""
        own = problem.scope == self.run.kind.value
        if vector.outcome is Outcome.REPORTED:
            return _GONE if own or not problem.scope else None
        if not problem.scope and (vector.stage in _REACHED or vector.cause in REFUSALS):
            return _GONE
        return _UNSEEN if own or not problem.scope else None

    def _fate_of_change(self, problem: Problem, vector: Vector) -> str | None:
        if problem.scope.partition(".")[0] not in vector.parts:
            return _UNSEEN if vector.outcome is Outcome.UNREPORTED else None
        if (problem.node, problem.scope) in self.changes or is_expected(self.baseline, problem.scope, problem.after):
            return _GONE
        return _AGAIN


def sight(store: Store, run: RunEntry, fleet: Fleet, rules: AlertRules, baseline: BaselineFile | None) -> Sighting:
    """Read what a run saw; raises StoreError."""
    visited = store.visited(run.run_id)
    simulated = {node.node_id for node in fleet.nodes if node.simulated}
    simulated |= {name for name, vector in visited.items() if vector.origin is Origin.SIMULATED}
    failures, findings = _folded(store, run)
    changes = changes_of(store, run.run_id, rules, baseline) if run.kind is RunKind.COLLECT else {}
    words = _words(store, run, _few(failures, findings, visited, rules))
    found = [
        *_failed(failures, run.kind, visited, words),
        *_found(findings, rules, visited, words),
        *(change.problem(node) for (node, _), change in changes.items() if change.matters),
        *(ends_of(store, run) if run.kind is RunKind.RESET else ()),
    ]
    problems = [_simulated(one) if one.node in simulated else one for one in found]
    digests = {vector.parts[HEALTH] for vector in visited.values() if HEALTH in vector.parts}
    return Sighting(
        run=run,
        rules=rules,
        visited=visited,
        verdicts=store.verdicts(digests),
        problems={one.fingerprint: one for one in problems},
        changes=changes,
        baseline=baseline,
    )


def _simulated(problem: Problem) -> Problem:
    return replace(problem, simulated=True)


def _folded(store: Store, run: RunEntry) -> tuple[list[FoldedFailure], list[FoldedFinding]]:
    """Failures and findings as the report folds them; of a run that was killed, as its report would have."""
    if run.report is not None:
        return run.report.failures, run.report.findings if isinstance(run.report, SweepReport) else []
    if run.kind is RunKind.HEALTH:
        tally = Tally()
        for record in store.records(run.run_id):
            tally.add(NodeOutcome.of(record))
        return tally.failures(), tally.findings()
    answers = Answers()
    for record in store.records(run.run_id):
        answers.count(NodeOutcome.of(record))
    return answers.failures(), []


def _few(
    failures: Iterable[FoldedFailure], findings: Iterable[FoldedFinding], visited: Collection[str], rules: AlertRules
) -> set[str]:
    """Nodes that may be told of alone, and whose words are not those of the example."""
    found: set[str] = set()
    folded: list[FoldedFailure | FoldedFinding] = [*failures, *(one for one in findings if _matters(one, rules))]
    for one in folded:
        here = [node for node in one.nodes if node in visited]
        if len(here) < max(rules.roll_up_nodes, 2):
            found.update(node for node in here if node != one.example_node)
    return found


def _words(store: Store, run: RunEntry, nodes: Collection[str]) -> Words:
    """The own words of nodes, by node and check; those of a failure under an empty name."""
    found: Words = {}
    for record in store.records_of(run.run_id, nodes) if nodes else ():
        outcome = NodeOutcome.of(record)
        if outcome.failure:
            found[record.node_id, ""] = (outcome.failure.message, outcome.failure.hint)
        for finding in outcome.judgement.notable if outcome.judgement else ():
            found[record.node_id, finding.check] = (finding.summary, finding.action)
    return found


def _failed(
    failures: Iterable[FoldedFailure], kind: RunKind, visited: Collection[str], words: Words
) -> Iterator[Problem]:
    for failure in failures:
        if failure.cause in CUT_SHORT or failure.stage is Stage.SCHEDULE:
            continue
        refused = failure.cause in REFUSALS
        alert = AlertKind.REFUSED if refused else AlertKind.UNREPORTED
        scope = kind.value if failure.stage in _REACHED and not refused else ""
        for node in failure.nodes:
            if node in visited:
                summary, action = words.get((node, ""), (failure.example, failure.hint))
                yield Problem(
                    fingerprint=fingerprint_of(alert.value, scope, node),
                    kind=alert,
                    subject=f"{failure.stage}.{failure.cause}",
                    scope=scope,
                    node=node,
                    severity=AlertSeverity.FAIL,
                    summary=summary,
                    action=action,
                    simulated=False,
                    words_of=node if (node, "") in words else failure.example_node,
                )


def _matters(finding: FoldedFinding, rules: AlertRules) -> bool:
    """Whether a finding is something to be told of."""
    return not rules.ignores(finding.check) and (finding.status is not Status.UNKNOWN or finding.required)


def _found(
    findings: Iterable[FoldedFinding], rules: AlertRules, visited: Collection[str], words: Words
) -> Iterator[Problem]:
    for finding in findings:
        if not _matters(finding, rules):
            continue
        kind = AlertKind.UNKNOWN if finding.status is Status.UNKNOWN else AlertKind.CHECK
        for node in finding.nodes:
            if node in visited:
                summary, action = words.get((node, finding.check), (finding.example, finding.action))
                yield Problem(
                    fingerprint=fingerprint_of(kind.value, finding.check, node),
                    kind=kind,
                    subject=finding.check,
                    scope=finding.check,
                    node=node,
                    severity=AlertSeverity.FAIL if finding.status is Status.FAIL else AlertSeverity.WARN,
                    summary=summary,
                    action=action,
                    simulated=False,
                    words_of=node if (node, finding.check) in words else finding.example_node,
                )
