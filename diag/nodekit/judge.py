"""From checks to findings: observe once, evaluate each, and turn whatever goes wrong into an honest unknown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from diag.nodekit.check import LoadedCheck
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.problems import NotApplicable, reason_for, words_of
from diag.nodekit.vocabulary import Status, UnknownReason

Document = dict[str, Any]
T = TypeVar("T")
MAX_NAME = 120  # characters in the name of a reading, as the schema has it
MAX_READINGS = 200  # in one finding, as the schema has it


class Observation:
    """One `observe` function, the checks that judge what it sees, and what else makes documents of it."""

    def __init__(self, checks: list[LoadedCheck], beside: Callable[[Any], list[Document]] | None = None) -> None:
        self.checks, self._beside = checks, beside
        self.seconds = max(loaded.check.seconds for loaded in checks)

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The findings of these checks, the documents beside them, and what broke in a way that is our own bug."""
        bugs: list[str] = []
        seen, trouble = attempt(lambda: self.checks[0].observe(machine))
        problem = None if trouble is None else _finding_of(trouble, bugs)
        findings = [as_document(loaded, problem or _evaluated(loaded, seen, bugs)) for loaded in self.checks]
        more = self._beside(seen) if self._beside and problem is None else []
        return findings + more, bugs

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """Unknown findings for all checks, for when the observation itself did not come back."""
        finding = Finding(status=Status.UNKNOWN, reason=reason, summary=summary)
        return [as_document(loaded, finding) for loaded in self.checks]


def _evaluated(loaded: LoadedCheck, seen: Any, bugs: list[str]) -> Finding:
    finding, trouble = attempt(lambda: loaded.evaluate(seen))
    return finding or _finding_of(trouble or Trouble(UnknownReason.PARSE_ERROR, "the check said nothing"), bugs)


def group_by_observation(
    checks: list[LoadedCheck], beside: Mapping[Callable[..., Any], Callable[[Any], list[Document]]] | None = None
) -> list[Observation]:
    """Checks that share an observe function share one observation; the order of first appearance is kept.

    `beside` makes more documents of what an observe function saw.
    """
    groups: dict[Callable[..., Any], list[LoadedCheck]] = {}
    for loaded in checks:
        groups.setdefault(loaded.observe, []).append(loaded)
    return [Observation(group, (beside or {}).get(observe)) for observe, group in groups.items()]


def as_document(loaded: LoadedCheck, finding: Finding) -> Document:
    """A finding as it goes over the wire: with its id, printable, and without empty parts."""
    if _not_finite(finding.value):
        finding = Finding(Status.UNKNOWN, "the value is not a finite number", reason=UnknownReason.PARSE_ERROR)
    document = {"check": loaded.check_id, "required": loaded.check.required, **compact(asdict(finding))}
    if finding.readings:
        document["readings"] = [_reading(reading) for reading in finding.readings[:MAX_READINGS]]
    return document


def _reading(reading: Reading) -> Document:
    """A reading keeps its value where that is null: read, and nothing there."""
    value = None if _not_finite(reading.value) else compact(reading.value)
    return {**compact(asdict(reading)), "name": printable(reading.name, MAX_NAME) or "unnamed", "value": value}


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


@dataclass(frozen=True)
class Trouble:
    """Why a step brought nothing: a reason of the vocabulary, or None where the thing is proven absent.

    `bug` says what broke when it was our own code.
    """

    reason: str | None
    summary: str
    bug: str | None = None


def attempt(step: Callable[[], T]) -> tuple[T | None, Trouble | None]:
    """Run one step; whatever it raises becomes a trouble, because one step must never take the others with it."""
    try:
        return step(), None
    except NotApplicable as absent:
        return None, Trouble(None, str(absent))
    except Exception as problem:  # noqa: BLE001 - see above
        return None, trouble_of(problem)


def trouble_of(problem: Exception) -> Trouble:
    """What an exception says about the step that raised it."""
    reason = reason_for(problem)
    ours = reason == UnknownReason.PARSE_ERROR and not isinstance(problem, ValueError)
    return Trouble(reason, words_of(problem), f"{type(problem).__name__}: {problem}" if ours else None)


def _finding_of(trouble: Trouble, bugs: list[str]) -> Finding:
    if trouble.bug is not None:
        bugs.append(trouble.bug)
    status = Status.NOT_APPLICABLE if trouble.reason is None else Status.UNKNOWN
    return Finding(status=status, reason=trouble.reason, summary=trouble.summary)


def compact(part: Any) -> Any:
    """A part without its empty members, every text printable."""
    if isinstance(part, dict):
        return {key: compact(value) for key, value in part.items() if value is not None and value != ()}
    if isinstance(part, (list, tuple)):
        return [compact(value) for value in part]
    return printable(part) if isinstance(part, str) else part
