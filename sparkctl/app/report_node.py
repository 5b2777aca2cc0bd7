"""What one node is to an operator now, from what is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sparkctl.model.bundle_page import Fact
from sparkctl.model.health import Finding, HealthData
from sparkctl.model.node_page import (
    MOST_CHANGES,
    MOST_ENDS,
    MOST_FINDINGS,
    NodeChange,
    NodePage,
    NodeStatus,
    PageEnd,
    PageGap,
    Series,
)
from sparkctl.model.outcome import NOTABLE
from sparkctl.model.printable import clip, printable
from sparkctl.model.run import Failure
from sparkctl.model.standing import NodeStanding
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause, Stage, Status
from sparkctl.report.bundle_words import value_of

OURS = CUT_SHORT | {Cause.INTERNAL, Cause.NOT_KEPT, Cause.NOT_SEALED, Cause.BAD_SETTINGS, Cause.JUMP_HOST}
"""Causes that say nothing about the node: we never came to it, or failed with what it gave us."""

MOST_AHEAD = timedelta(minutes=5)
"""A judgement that is further in the future than this was made by another clock, and has no age."""

MOST_GAPS, MOST_WARNINGS = 40, 10
_WORDS = 400  # characters of one text of a node
_SHORT = 24
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a node beside its newest visits."""

    make: str | None = None
    facts_at: datetime | None = None
    facts: Sequence[Fact] = ()
    gaps: Sequence[PageGap] = ()
    never_collected: Sequence[str] = ()
    changes: Sequence[NodeChange] = ()
    ends: Sequence[PageEnd] = ()
    series: Sequence[Series] = ()


NOTHING = Beside()


def node_page(standing: NodeStanding, now: datetime, max_age: timedelta, beside: Beside = NOTHING) -> NodePage:
    """The page of a node; texts of the node are cut, and lists of it end somewhere."""
    node, last, health, data = standing.node, standing.last, standing.health, standing.health_data
    found = _notable(data)
    failure = last.failure if last else None
    judged_at = health.ts if health else None
    evaluated = data is not None and data.rollup.worst is not None
    status, words = judge(failure, found, judged_at if data else None, now, max_age, evaluated=evaluated)
    return NodePage(
        node_id=node.node_id,
        status=status,
        words=words,
        simulated=node.simulated,
        site=node.site,
        rack=node.rack,
        unit=node.unit,
        state=node.state,
        make=beside.make,
        visited_at=last.ts if last else None,
        judged_at=judged_at if data else None,
        reset_at=standing.reset.ts if standing.reset else None,
        facts_at=beside.facts_at,
        failure=failure,
        completeness=data.rollup.completeness if data else None,
        findings=found[:MOST_FINDINGS],
        left_out=max(0, len(found) - MOST_FINDINGS),
        passed=[_passed(one) for one in data.findings if one.status is Status.PASS] if data else [],
        not_applicable=[one.check for one in data.findings if one.status is Status.NOT_APPLICABLE] if data else [],
        facts=list(beside.facts),
        gaps=list(beside.gaps[:MOST_GAPS]),
        never_collected=list(beside.never_collected),
        changes=list(beside.changes[:MOST_CHANGES]),
        ends=list(beside.ends[:MOST_ENDS]),
        series=list(beside.series),
        warnings=[clip(one, _WORDS) for one in last.warnings[:MOST_WARNINGS]] if last else [],
    )


def judged_again(page: NodePage, now: datetime, max_age: timedelta) -> NodePage:
    """The same page at a later moment: what was known grows old by itself."""
    evaluated = bool(page.passed) or any(one.status in (Status.WARN, Status.FAIL) for one in page.findings)
    status, words = judge(page.failure, page.findings, page.judged_at, now, max_age, evaluated=evaluated)
    return page if status is page.status else page.model_copy(update={"status": status, "words": words})


def is_about_node(failure: Failure) -> bool:
    """Whether a visit that brought nothing says something about the node."""
    return failure.cause not in OURS and failure.stage not in (Stage.SCHEDULE, Stage.SEAL)


def judge(
    failure: Failure | None,
    findings: Sequence[Finding],
    judged_at: datetime | None,
    now: datetime,
    max_age: timedelta,
    *,
    evaluated: bool,
) -> tuple[NodeStatus, str]:
    """The status of a node and why; `failure` is that of its newest visit, `judged_at` None where it never was."""
    if failure is not None and failure.cause in REFUSALS:
        return NodeStatus.REFUSED, failure.cause.value.replace("_", " ")
    failed = [one.check for one in findings if one.status is Status.FAIL]
    if failed:
        return NodeStatus.FAIL, _named(failed)
    if failure is not None and is_about_node(failure):
        return NodeStatus.LOST, f"{failure.cause.value}, {failure.stage.value}".replace("_", " ")
    if judged_at is None:
        return NodeStatus.NEVER, "it was never judged"
    if why := _why_stale(now - judged_at, max_age, judged_at):
        return NodeStatus.STALE, why
    return _fresh(findings, evaluated=evaluated)


def _why_stale(age: timedelta, max_age: timedelta, judged_at: datetime) -> str | None:
    if age > max_age:
        return f"not judged since {judged_at:%Y-%m-%d %H:%M} UTC"
    if age < -MOST_AHEAD:
        return "judged in the future, by this machine's clock: how old that is cannot be told"
    return None


def _fresh(findings: Sequence[Finding], *, evaluated: bool) -> tuple[NodeStatus, str]:
    """The status by a judgement that is neither bad nor old."""
    warned = [one.check for one in findings if one.status is Status.WARN]
    if warned:
        return NodeStatus.WARN, _named(warned)
    missing = [one.check for one in findings if one.status is Status.UNKNOWN and one.required]
    if missing:
        return NodeStatus.UNKNOWN, f"not evaluated: {_named(missing)}"
    if not evaluated:
        return NodeStatus.UNKNOWN, "no check could be evaluated"
    return NodeStatus.PASS, "every required check passed"


def _named(checks: Sequence[str]) -> str:
    more = len(checks) - _NAMED
    return ", ".join(checks[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _notable(data: HealthData | None) -> list[Finding]:
    """What failed, warned or stayed unknown, the most pressing first, without readings and with short texts."""
    found = [one for one in data.findings if one.status in NOTABLE] if data else []
    found.sort(key=lambda one: (NOTABLE.index(one.status), not one.required, one.check))
    return [_shortened(one) for one in found]


def _shortened(one: Finding) -> Finding:
    value = printable(one.value, 80) if isinstance(one.value, str) else one.value
    texts: dict[str, Any] = {"summary": clip(one.summary, _WORDS), "value": value, "readings": []}
    for name in ("locator", "action"):
        text = getattr(one, name)
        texts[name] = clip(text, _WORDS) if text else None
    return one.model_copy(update=texts)


def _passed(one: Finding) -> str:
    """A check with its value where that is short: `disk.space 41 %`."""
    value = value_of(one)
    shown = value and len(value) <= _SHORT and not isinstance(one.value, bool)
    return printable(f"{one.check} {value}" if shown else one.check)
