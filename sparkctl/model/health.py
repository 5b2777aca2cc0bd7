"""What a health probe finds: readings, findings and their roll-up."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sparkctl.model.base import MAX_INTEGER, DottedCode, Record, Text, Word
from sparkctl.model.vocabulary import Comparison, Status, UnknownReason
from sparkctl.model.witnesses import Witnesses

Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Scalar = bool | Integer | float | Text

WORST_FIRST = (Status.FAIL, Status.WARN, Status.PASS)
"""The evaluated statuses, the worst first."""


class Reading(Record):
    """One value as it was read, with its unit (UCUM) and where it came from (a path or a command line)."""

    name: Word
    value: Scalar | None
    unit: Word | None = None
    locator: Text | None = None


class Threshold(Record):
    """The bounds a value was held against; `provenance` names the source of the numbers."""

    comparison: Comparison
    warn: Scalar | None = None
    fail: Scalar | None = None
    provenance: Text


class Finding(Record):
    """The result of one check on one node.

    `value` is the reading that decided the status, `locator` where it was read, `action` what a person should do.
    An unknown finding has a reason; a finding that warns or fails has an action.
    """

    check: DottedCode
    status: Status
    required: bool
    summary: Text
    reason: UnknownReason | None = None
    value: Scalar | None = None
    unit: Word | None = None
    threshold: Threshold | None = None
    locator: Text | None = None
    action: Text | None = None
    readings: Annotated[list[Reading], Field(max_length=200)] = []

    @model_validator(mode="after")
    def _explains_itself(self) -> Self:
        if (self.status is Status.UNKNOWN) != (self.reason is not None):
            raise ValueError("a reason belongs to an unknown finding, and to no other")
        if self.status in (Status.WARN, Status.FAIL) and not self.action:
            raise ValueError("a finding that warns or fails must say what to do")
        return self


class Rollup(Record):
    """The worst evaluated status (null when nothing was evaluated) beside how much was evaluated at all.

    `completeness` is evaluated / (planned - not_applicable), 1 when nothing was applicable.
    """

    worst: Status | None
    planned: Annotated[int, Field(ge=0)]
    evaluated: Annotated[int, Field(ge=0)]
    not_applicable: Annotated[int, Field(ge=0)]
    completeness: Annotated[float, Field(ge=0, le=1)]
    required_unevaluated: list[DottedCode]


def roll_up(findings: Iterable[Finding]) -> Rollup:
    """Fold findings into the pair of worst status and completeness."""
    found = list(findings)
    statuses = {finding.status for finding in found}
    not_applicable = sum(finding.status is Status.NOT_APPLICABLE for finding in found)
    unknown = [finding for finding in found if finding.status is Status.UNKNOWN]
    evaluated = len(found) - not_applicable - len(unknown)
    applicable = len(found) - not_applicable
    return Rollup(
        worst=next((status for status in WORST_FIRST if status in statuses), None),
        planned=len(found),
        evaluated=evaluated,
        not_applicable=not_applicable,
        completeness=round(evaluated / applicable, 4) if applicable else 1.0,
        required_unevaluated=sorted(finding.check for finding in unknown if finding.required),
    )


class HealthData(Record):
    """The findings of one level, one for each planned check, and their roll-up.

    `witnesses` is what the running boot has armed; null in documents of older programs.
    """

    level: Literal["L1"]
    findings: Annotated[list[Finding], Field(max_length=500)]
    rollup: Rollup
    witnesses: Witnesses | None = None
