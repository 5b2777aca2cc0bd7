"""Words about a bundle that every kind of paper shares."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sparkctl.model.bundle_page import BundlePage
from sparkctl.model.evidence import Missing
from sparkctl.model.health import Finding
from sparkctl.model.reset import Transition
from sparkctl.model.reset_tree import claim_of, strength_of
from sparkctl.model.reset_words import Axis
from sparkctl.model.vocabulary import Status, UnknownReason
from sparkctl.report.reset_one import CERTAINTY, FOUNDED
from sparkctl.report.words import SIMULATED, brief, count, size

TITLES = {Status.FAIL: "Needs hands", Status.WARN: "Watch", Status.UNKNOWN: "Could not be evaluated"}
"""What is to be said first of how a node was."""
_UNITS = {"Cel": "°C", "By": "B", "{GT}/s": "GT/s"}
NOT_VOUCHED = {
    "not_checked": "signed, but by whom was not checked: name --allowed-signers or --public-key",
    "unsigned": "not signed: anybody may have made it",
}


def vouched(page: BundlePage) -> str:
    """Whose word it is that the bundle gives."""
    if page.signed_by is None:
        return NOT_VOUCHED[page.vouching]
    principal, key = page.signed_by.principal, page.signed_by.fingerprint
    return f"signed by {principal} ({key})" if principal else f"signed by {key}"


def collected(page: BundlePage) -> str:
    """When, by what, with which rights."""
    about = page.about
    made = f"{about.collected_at:%Y-%m-%d %H:%M:%S} UTC by {about.tool} {about.version}"
    return f"{made}, elevation {about.elevation.value}"


def origin(page: BundlePage) -> str | None:
    """What it is a bundle of, where that is no running machine."""
    if page.about.simulated:
        return SIMULATED
    return None if page.about.origin.value == "live" else f"a {page.about.origin.value}"


def contents(page: BundlePage) -> str:
    """How much is in it, and that it was held against what was sealed."""
    entries = f"{page.entries:,} {'entry' if page.entries == 1 else 'entries'}"
    said = f"{entries}, {size(page.bytes)}, every byte as it was sealed; {page.missing_count:,} not collected"
    return f"{said}; a part of a bundle, {page.withheld_entries:,} withheld" if page.withheld_entries else said


def judged(page: BundlePage) -> str:
    """Checks by what became of them, in one line."""
    if page.findings is None or page.rollup is None:
        return "the bundle does not say"
    found = Counter(finding.status for finding in page.findings)
    words = {
        Status.FAIL: "failed", Status.WARN: "to watch", Status.UNKNOWN: "could not be evaluated",
        Status.PASS: "passed", Status.NOT_APPLICABLE: "do not apply",
    }  # fmt: skip
    parts = [f"{found[status]:,} {said}" for status, said in words.items() if found[status]]
    return f"{count(page.rollup.planned, 'check')}: {', '.join(parts)}"


def value_of(finding: Finding) -> str:
    """The value that decided a finding, with its unit; empty where there is none."""
    if finding.value is None:
        return ""
    if finding.unit == "By" and isinstance(finding.value, int):
        return size(finding.value)
    return with_unit(brief(finding.value), finding.unit)


def with_unit(value: str, unit: str | None) -> str:
    """A value with its unit as people write it; a number that counts has none."""
    if unit is None or unit == "1":
        return value
    return f"{value} {_UNITS.get(unit, unit)}"


def reason_of(reason: UnknownReason) -> str:
    """Why something was not collected; where a precondition is not met there is, as a rule, no such thing."""
    return "not there" if reason is UnknownReason.PRECONDITION else reason.value.replace("_", " ")


def meaning(end: Transition) -> str:
    """What the end of a boot means to an operator."""
    return f"{CERTAINTY['expected', end.flat.expected]}; {CERTAINTY['data', end.flat.data_at_risk]}"


def claims(end: Transition) -> Iterator[tuple[str, str, str]]:
    """Of each axis its name, the claim, and how well that is founded."""
    for axis in Axis:
        strength = strength_of(end, axis)
        yield axis.value.replace("_", " "), claim_of(end, axis), f"{strength.value}, {FOUNDED[strength]}"


@dataclass(frozen=True, slots=True)
class Lost:
    """What was not collected for one reason, and whether that is because it does not exist on the machine."""

    reason: UnknownReason
    found: list[Missing]


def lost(missing: Iterable[Missing]) -> list[Lost]:
    """What was not collected by its reason: what is not there on the machine last, since nobody can bring it."""
    by_reason: dict[UnknownReason, list[Missing]] = {}
    for each in missing:
        by_reason.setdefault(each.reason, []).append(each)
    reasons = sorted(by_reason, key=lambda one: (one is UnknownReason.PRECONDITION, one.value))
    return [Lost(reason, by_reason[reason]) for reason in reasons]
