"""Fold the pages of nodes into what a fleet needs: hands, coverage, cells, ages; one node after the other."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sparkctl.app.report_node import is_about_node
from sparkctl.errors import ExitCode
from sparkctl.model.fleet_page import AGES, AgeOf, Cell, Hand, OldestAnswer, PageCoverage, RunGoingOn
from sparkctl.model.fleet_report import FoldedFailure
from sparkctl.model.health import Finding
from sparkctl.model.node_page import NodePage, NodeStatus
from sparkctl.model.printable import clip
from sparkctl.model.run import Failure
from sparkctl.model.sweep import FoldedFinding
from sparkctl.model.vocabulary import Cause, Stage, Status, UnknownReason
from sparkctl.report.fleet_words import bounds

_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
MOST_NOTABLE = 8
_ASK = "sparkctl health"
UNJUDGED = (NodeStatus.LOST, NodeStatus.NEVER, NodeStatus.STALE, NodeStatus.UNKNOWN)
_STATUS_OF = {Status.FAIL: NodeStatus.FAIL, Status.WARN: NodeStatus.WARN}


@dataclass
class _Alike:
    """Nodes on which something came out alike; the words are those of the first."""

    status: NodeStatus
    title: str
    example: str
    action: str | None
    known_by: str
    provenance: str | None = None
    nodes: list[str] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)

    def hand(self) -> Hand:
        return Hand(
            status=self.status,
            title=self.title,
            nodes=self.nodes,
            example=self.example,
            example_node=self.nodes[0],
            action=self.action,
            known_by=clip(self.known_by),
            provenance=self.provenance,
            first_seen=min(self.moments, default=None),
            last_seen=max(self.moments, default=None),
        )


Key = tuple[str, ...]


class FleetFold:
    """What has been seen of the nodes so far; they come in the order of the fleet."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.simulated = 0
        self._alike: dict[Key, _Alike] = {}
        self._failures: dict[tuple[Stage, Cause], tuple[Failure, list[str]]] = {}
        self._unevaluated: dict[tuple[str, UnknownReason | None], tuple[Finding, list[str]]] = {}
        self._never_visited: list[str] = []
        self._completeness: list[float] = []
        self._judged: dict[str, datetime] = {}
        self._resets: dict[str, datetime] = {}

    def add(self, page: NodePage) -> None:
        """Take in one node."""
        self.cells.append(_cell(page))
        self.simulated += page.simulated
        if page.visited_at is None:
            self._never_visited.append(page.node_id)
        if page.judged_at is not None:
            self._judged[page.node_id] = page.judged_at
        if page.reset_at is not None:
            self._resets[page.node_id] = page.reset_at
        if page.completeness is not None:
            self._completeness.append(page.completeness)
        if page.failure is not None:
            key = page.failure.stage, page.failure.cause
            self._failures.setdefault(key, (page.failure, []))[1].append(page.node_id)
        self._note_findings(page)
        self._note_silence(page)

    def _note_findings(self, page: NodePage) -> None:
        for one in page.findings:
            if one.status is Status.UNKNOWN:
                if one.required:
                    self._unevaluated.setdefault((one.check, one.reason), (one, []))[1].append(page.node_id)
                continue
            key = one.status.value, one.check, _FIGURES.sub("#", one.summary)
            fresh = _Alike(
                _STATUS_OF[one.status],
                one.check,
                one.summary,
                one.action,
                _known_by(one),
                one.threshold.provenance if one.threshold else None,
            )
            self._note(key, page.node_id, page.judged_at, fresh)

    def _note_silence(self, page: NodePage) -> None:
        """A node that was refused, brought no answer, or was not judged lately, whatever else is known of it."""
        failure, name, status = page.failure, page.node_id, page.status
        if failure is not None and (status is NodeStatus.REFUSED or _is_lost(page)):
            lost = NodeStatus.REFUSED if status is NodeStatus.REFUSED else NodeStatus.LOST
            title = failure.cause.value.replace("_", " ")
            tries = f", {failure.attempts} connections tried" if failure.attempts > 1 else ""
            found = f"the newest visit, which ended in the stage {failure.stage.value.replace('_', ' ')}{tries}"
            fresh = _Alike(lost, title, failure.message, failure.hint, found)
            self._note((lost.value, failure.stage.value, failure.cause.value), name, page.visited_at, fresh)
        elif status is NodeStatus.NEVER:
            words = "nobody knows how it is"
            self._note(
                (status.value,), name, None, _Alike(status, "never judged", words, _ASK, "no judgement in the store")
            )
        elif status is NodeStatus.STALE:
            by = "the moment of its newest judgement"
            self._note((status.value,), name, page.judged_at, _Alike(status, "not judged lately", page.words, _ASK, by))

    def _note(self, key: Key, node: str, at: datetime | None, fresh: _Alike) -> None:
        alike = self._alike.setdefault(key, fresh)
        alike.nodes.append(node)
        if at is not None:
            alike.moments.append(at)

    @property
    def statuses(self) -> dict[NodeStatus, int]:
        """Numbers of nodes, the most pressing status first."""
        found = Counter(cell.status for cell in self.cells)
        return {status: found[status] for status in NodeStatus if found[status]}

    def hands(self) -> tuple[list[Hand], list[Hand]]:
        """What needs hands and what is to be watched, the most pressing and the most widespread first."""
        told = sorted((one.hand() for one in self._alike.values()), key=_pressing)
        needed = [one for one in told if one.status is not NodeStatus.WARN]
        return needed, [one for one in told if one.status is NodeStatus.WARN]

    def coverage(self, running: list[RunGoingOn]) -> PageCoverage:
        """Who answered at the newest visit, and what was not evaluated."""
        failures = [_failure(*one) for one in self._failures.values()]
        unreported = sum(len(one.nodes) for one in failures) + len(self._never_visited)
        oldest = min(self._judged.items(), key=lambda item: item[1], default=None)
        return PageCoverage(
            selected=len(self.cells),
            reported=len(self.cells) - unreported,
            unreported=unreported,
            failures=sorted(failures, key=lambda one: (-len(one.nodes), one.stage, one.cause)),
            never_visited=self._never_visited,
            required_unevaluated=sorted(
                (_unevaluated(*one) for one in self._unevaluated.values()), key=lambda one: (-len(one.nodes), one.check)
            ),
            completeness=round(sum(self._completeness) / len(self._completeness), 4) if self._completeness else None,
            oldest=OldestAnswer(node=oldest[0], at=oldest[1]) if oldest else None,
            running=running,
        )

    def ages(self, now: datetime, facets: dict[str, dict[str, datetime]]) -> Iterator[AgeOf]:
        """How old each kind of knowledge is; `facets` are moments by facet and node."""
        for what, seen in {"health": self._judged, "resets": self._resets, **facets}.items():
            yield _ages(what, seen, len(self.cells), now)

    def exit_code(self) -> ExitCode:
        """Findings before refusals before what could not be judged, as a sweep answers; see docs/exit-codes.md."""
        statuses = self.statuses
        if any(one.status is NodeStatus.FAIL for one in self._alike.values()):
            return ExitCode.FINDINGS
        if NodeStatus.REFUSED in statuses:
            return ExitCode.REFUSED
        unjudged = self._unevaluated or any(status in statuses for status in UNJUDGED)
        return ExitCode.UNJUDGED if unjudged or not self.cells else ExitCode.OK


def _is_lost(page: NodePage) -> bool:
    """Whether the newest visit brought nothing, for a reason of the node; it may be known to fail, too."""
    return page.failure is not None and is_about_node(page.failure)


def _pressing(one: Hand) -> tuple[int, int, str, str]:
    return [*NodeStatus].index(one.status), -len(one.nodes), one.title, one.example


def _cell(page: NodePage) -> Cell:
    return Cell(
        node_id=page.node_id,
        status=page.status,
        words=page.words,
        simulated=page.simulated,
        site=page.site,
        rack=page.rack,
        unit=page.unit,
        state=page.state,
        make=page.make,
        visited_at=page.visited_at,
        judged_at=page.judged_at,
        notable=[one.check for one in page.findings if one.status is not Status.UNKNOWN or one.required][:MOST_NOTABLE],
    )


def _known_by(one: Finding) -> str:
    """Where a value was read, and against which bounds it was held."""
    parts = [f"read from {one.locator}" if one.locator else "by the check itself"]
    if one.threshold is not None:
        parts.append(bounds(one.threshold, one.unit))
    return "; ".join(part for part in parts if part)


def _failure(failure: Failure, nodes: list[str]) -> FoldedFailure:
    return FoldedFailure(
        stage=failure.stage,
        cause=failure.cause,
        nodes=nodes,
        example=failure.message,
        example_node=nodes[0],
        hint=failure.hint,
    )


def _unevaluated(one: Finding, nodes: list[str]) -> FoldedFinding:
    return FoldedFinding(
        check=one.check,
        status=one.status,
        reason=one.reason,
        required=one.required,
        nodes=nodes,
        example=one.summary,
        example_node=nodes[0],
        action=one.action,
    )


def _ages(what: str, seen: dict[str, datetime], nodes: int, now: datetime) -> AgeOf:
    moments = sorted(seen.values())
    bins = dict.fromkeys((name for name, _ in AGES), 0)
    for at in moments:
        age = (now - at).total_seconds()
        bins[next(name for name, limit in AGES if limit is None or age <= limit)] += 1
    return AgeOf(
        what=what,
        bins=bins,
        never=nodes - len(moments),
        newest=moments[-1] if moments else None,
        middle=moments[len(moments) // 2] if moments else None,
        oldest=moments[0] if moments else None,
        oldest_node=min(seen, key=seen.__getitem__) if seen else None,
    )
