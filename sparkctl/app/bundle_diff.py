"""Compare two bundles by what was observed: findings, facts, ends of boots, artefacts, programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkctl.app.bundle_judged import FACTS, HEALTH, RESET, Judged, judged_in
from sparkctl.app.stand_in_pairs import paired, shape
from sparkctl.errors import ExitCode
from sparkctl.evidence.reading import opened
from sparkctl.evidence.trust import Trust
from sparkctl.evidence.verifying import Verified, verified
from sparkctl.model.bundle_diff import (
    ArtefactChange,
    ArtefactEvent,
    BundleDiff,
    FactChange,
    FindingChange,
    Judgement,
    ProgramChange,
    Side,
)
from sparkctl.model.evidence import Entry, EntryKind, EntryStatus, Missing
from sparkctl.model.facets.difference import Difference, differences
from sparkctl.model.facets.individual import PASSING
from sparkctl.model.facets.paths import covers, from_text, to_text
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.health import Finding
from sparkctl.model.printable import printable
from sparkctl.model.reset import ResetEnvelope, Transition
from sparkctl.model.vocabulary import Status

NAME = 900
COUNTS = "1"
"""The unit of a number that counts or names something (UCUM)."""
PRESSING = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)
_PASSING = tuple(from_text(pattern) for pattern in PASSING)


@dataclass(frozen=True, slots=True)
class _Read:
    """What is compared of one bundle."""

    found: Verified
    judged: Judged
    artefacts: dict[str, Entry]
    missing: dict[str, Missing]
    is_part: bool


def diff_bundles(old: Path, new: Path, trust: Trust | None) -> BundleDiff:
    """Verify both and compare them.

    Raises UsageError for what is damaged or no bundle, RefusedError for a signature that is not trusted.
    """
    before, after = _read(old, trust), _read(new, trust)
    findings = sorted(_findings(before.judged, after.judged), key=_pressing)
    facts, passing = _facts(before.judged.facts, after.judged.facts)
    ends, ends_told = _ends(before.judged.reset, after.judged.reset)
    artefacts = [] if before.is_part or after.is_part else list(_artefacts(before, after))
    programs = list(_programs(before, after))
    return BundleDiff(
        old=_side(before.found),
        new=_side(after.found),
        findings=findings,
        facts=facts,
        ends=ends,
        ends_told=ends_told,
        artefacts=artefacts,
        programs=programs,
        passing=passing,
        uncompared=list(_uncompared(before, after)),
        changes=len(findings) + len(facts) + len(ends) + len(artefacts) + len(programs),
    )


def exit_code(diff: BundleDiff) -> ExitCode:
    """What a comparison comes to: a change is known, whatever could not be compared."""
    if diff.changes:
        return ExitCode.FINDINGS
    return ExitCode.UNJUDGED if diff.uncompared or not diff.ends_told else ExitCode.OK


def _read(path: Path, trust: Trust | None) -> _Read:
    with opened(path) as bundle:
        found = verified(bundle, trust)
        artefacts = {each.path: each for each in bundle.entries() if each.kind is EntryKind.ARTEFACT}
        missing = {f"artefacts/{each.name}": each for each in bundle.missing}
        return _Read(found, judged_in(bundle), artefacts, missing, found.withheld > 0)


def _side(found: Verified) -> Side:
    signed_by = found.signed_by
    return Side(
        file=printable(str(found.path), NAME),
        node=found.about.node,
        collected_at=found.about.collected_at,
        vouching=found.authenticity.value,
        signed_by=printable(signed_by.principal or signed_by.fingerprint) if signed_by else None,
        simulated=found.about.simulated,
    )


def _findings(before: Judged, after: Judged) -> Iterator[FindingChange]:
    if not (before.health and before.health.data and after.health and after.health.data):
        return
    old = {each.check: each for each in before.health.data.findings}
    new = {each.check: each for each in after.health.data.findings}
    for check in [*new, *(name for name in old if name not in new)]:
        if not _is_alike(old.get(check), new.get(check)):
            yield FindingChange(check=check, before=_said(old.get(check)), after=_said(new.get(check)))


def _pressing(change: FindingChange) -> int:
    """What needs hands now comes first."""
    said = change.after or change.before
    return PRESSING.index(said.status) if said else len(PRESSING)


def _is_alike(old: Finding | None, new: Finding | None) -> bool:
    """Whether two findings say the same.

    A measure is the same on the same side of its thresholds, which is what the status says. What counts or names
    something is another where it is another, unless it is counted for a threshold that is kept.
    """
    if old is None or new is None:
        return old is new
    if (old.status, old.reason) != (new.status, new.reason):
        return False
    if not isinstance(old.value, int | float) or not isinstance(new.value, int | float) or _is_bool(old, new):
        return _is_same_but_for_names(old.value, new.value, old.check)
    counted = COUNTS in (old.unit, new.unit)
    kept = old.threshold is not None and old.status is Status.PASS
    return old.value == new.value or not counted or kept


def _is_bool(old: Finding, new: Finding) -> bool:
    return isinstance(old.value, bool) or isinstance(new.value, bool)


def _is_same_but_for_names(old: Any, new: Any, name: str) -> bool:
    """Whether two values are the same but for stand-ins."""
    before, after = paired(old, new, name)
    return bool(before == after)


def _said(finding: Finding | None) -> Judgement | None:
    if finding is None:
        return None
    return Judgement(
        status=finding.status,
        reason=finding.reason,
        value=finding.value,
        unit=finding.unit,
        summary=finding.summary,
    )


def _facts(before: FactsEnvelope | None, after: FactsEnvelope | None) -> tuple[list[FactChange], list[str]]:
    """Fields that changed, and the names of those that change with use."""
    changes: list[FactChange] = []
    passing: list[str] = []
    if not (before and before.data and after and after.data):
        return changes, passing
    for name, (old, new) in _facets(before, after).items():
        for one in differences(*_beside(old, new)):
            path = (name, *one.path)
            if any(covers(pattern, path) for pattern in _PASSING):
                passing.append(printable(to_text(path), NAME))
            else:
                changes.append(_fact(name, one))
    return changes, passing


def _fact(facet: str, one: Difference) -> FactChange:
    return FactChange(facet=facet, field=to_text(one.path), kind=one.kind, before=one.before, after=one.after)


def _facets(before: FactsEnvelope, after: FactsEnvelope) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The documents of each facet that both have: `{"data": ..., "gaps": {PATH: REASON}}`."""
    assert before.data is not None  # noqa: S101 - the caller looked
    assert after.data is not None  # noqa: S101 - likewise
    old, new = dict(before.data.facets), dict(after.data.facets)
    both = [name for name in old if old[name] is not None and new.get(name) is not None]
    return {name: (_document(old[name]), _document(new[name])) for name in both}


def _document(facet: Any) -> dict[str, Any]:
    data = facet.data.model_dump(mode="json", exclude_none=True) if facet.data else None
    return {"data": data, "gaps": {gap.path: gap.reason.value for gap in facet.gaps}}


def _beside(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    left, right = paired(old["data"], new["data"])
    return {**old, "data": left}, {**new, "data": right}


def _ends(before: ResetEnvelope | None, after: ResetEnvelope | None) -> tuple[list[Transition], bool]:
    """Boots that ended since, newest first, and whether the end that was the newest is found behind them.

    Boot ids are stand-ins. An end is known by its last sign of life, to the microsecond, and by what was claimed.
    """
    if not (before and before.data and after and after.data):
        return [], True
    old, new = before.data.transitions, after.data.transitions
    for since in range(len(new) + 1):
        if all(map(_is_same_end, new[since:], old)) and (since < len(new) or not old):
            return list(new[:since]), True
    return list(new), False


def _is_same_end(one: Transition, other: Transition) -> bool:
    signs = (one.window.last_sign_s, other.window.last_sign_s)
    return one.claims == other.claims if None in signs else signs[0] == signs[1]


def _artefacts(before: _Read, after: _Read) -> Iterator[ArtefactChange]:
    """What became of each artefact; paths with names in them are paired as the members of a map are."""
    old, new = paired(dict.fromkeys(before.artefacts, 0), dict.fromkeys(after.artefacts, 0))
    back = dict(zip(old, before.artefacts.values(), strict=True))
    missing = {shape(path): each for path, each in after.missing.items()}
    for path in sorted({*old, *new}):
        was, now = back.get(path), after.artefacts.get(path)
        if was is None or now is None:
            yield _appeared(path, missing.get(shape(path)), is_new=was is None)
        elif (change := _status_change(path, was, now)) is not None:
            yield change
    lost = {shape(path) for path in (*before.missing, *before.artefacts)}
    for path, gap in after.missing.items():
        if shape(path) not in lost:
            yield ArtefactChange(path=printable(gap.name, NAME), event=ArtefactEvent.MISSING, words=gap.words)


def _appeared(path: str, gap: Missing | None, *, is_new: bool) -> ArtefactChange:
    if is_new:
        return ArtefactChange(path=printable(path, NAME), event=ArtefactEvent.NEW, words=None)
    event = ArtefactEvent.MISSING if gap else ArtefactEvent.GONE
    return ArtefactChange(path=printable(path, NAME), event=event, words=gap.words if gap else None)


def _status_change(path: str, was: Entry, now: Entry) -> ArtefactChange | None:
    if was.status is now.status:
        return None
    event = ArtefactEvent.WHOLE if now.status is EntryStatus.COMPLETE else ArtefactEvent.CUT
    return ArtefactChange(path=printable(path, NAME), event=event, words=now.words or now.status.value)


def _programs(before: _Read, after: _Read) -> Iterator[ProgramChange]:
    old, new = before.found.about, after.found.about
    pairs: list[tuple[str, str | None, str | None]] = [
        ("collected by", f"{old.tool} {old.version}", f"{new.tool} {new.version}"),
        ("program on the node", old.program_sha256, new.program_sha256),
        ("elevation", old.elevation.value, new.elevation.value),
    ]
    for name in ("health", "facts", "reset"):
        metas = [getattr(each.judged, name) for each in (before, after)]
        if None not in metas:
            made = [f"{each.meta.version} {each.meta.program_sha256}" for each in metas]
            pairs.append((f"judged {name}", made[0], made[1]))
    for what, was, now in pairs:
        if was != now:
            yield ProgramChange(what=what, before=was, after=now)


def _uncompared(before: _Read, after: _Read) -> Iterator[str]:
    for each in (before, after):
        for one in each.judged.unread:
            if one.name in (HEALTH, FACTS, RESET):
                yield printable(f"{one.name} of {each.found.path}: {one.words}", NAME)
        if each.is_part:
            yield printable(f"artefacts: {each.found.path} is a part of a bundle", NAME)
    for name in _one_sided(before.judged.facts, after.judged.facts):
        yield f"facts of {name}: only one of the two has them"


def _one_sided(before: FactsEnvelope | None, after: FactsEnvelope | None) -> list[str]:
    if not (before and before.data and after and after.data):
        return []
    new = dict(after.data.facets)
    return [name for name, facet in before.data.facets if (facet is None) != (new[name] is None)]
