"""From checks to findings: observe once, evaluate each, and turn whatever goes wrong into an honest unknown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from diag.nodekit.check import LoadedCheck
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.problems import NotApplicable, reason_for
from diag.nodekit.vocabulary import Status, UnknownReason

Document = dict[str, Any]
MAX_NAME = 120  # characters in the name of a reading, as the schema has it
MAX_READINGS = 200  # in one finding, as the schema has it


class Observation:
    """One `observe` function and the checks that judge what it sees."""

    def __init__(self, checks: list[LoadedCheck]) -> None:
        self.checks = checks
        self.seconds = max(loaded.check.seconds for loaded in checks)

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The findings of these checks, and what broke in a way that is our own bug."""
        bugs: list[str] = []
        seen, problem = _attempt(self.checks[0].observe, machine, bugs)
        findings = []
        for loaded in self.checks:
            if problem is None:
                judgement, trouble = _attempt(loaded.evaluate, seen, bugs)
                finding = judgement if trouble is None else trouble
            else:
                finding = problem
            findings.append(as_document(loaded, finding))
        return findings, bugs

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """Unknown findings for all checks, for when the observation itself did not come back."""
        finding = Finding(status=Status.UNKNOWN, reason=reason, summary=summary)
        return [as_document(loaded, finding) for loaded in self.checks]


def group_by_observation(checks: list[LoadedCheck]) -> list[Observation]:
    """Checks that share an observe function share one observation; the order of first appearance is kept."""
    groups: dict[Callable[..., Any], list[LoadedCheck]] = {}
    for loaded in checks:
        groups.setdefault(loaded.observe, []).append(loaded)
    return [Observation(group) for group in groups.values()]


def as_document(loaded: LoadedCheck, finding: Finding) -> Document:
    """A finding as it goes over the wire: with its id, printable, and without empty parts."""
    if _not_finite(finding.value):
        finding = Finding(Status.UNKNOWN, "the value is not a finite number", reason=UnknownReason.PARSE_ERROR)
    document = {"check": loaded.check_id, "required": loaded.check.required, **_compact(asdict(finding))}
    if finding.readings:
        document["readings"] = [_reading(reading) for reading in finding.readings[:MAX_READINGS]]
    return document


def _reading(reading: Reading) -> Document:
    """A reading keeps its value where that is null: read, and nothing there."""
    value = None if _not_finite(reading.value) else _compact(reading.value)
    return {**_compact(asdict(reading)), "name": printable(reading.name, MAX_NAME) or "unnamed", "value": value}


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _attempt(step: Callable[[Any], Any], given: Any, bugs: list[str]) -> tuple[Any, Finding | None]:
    try:
        return step(given), None
    except NotApplicable as absent:
        return None, Finding(status=Status.NOT_APPLICABLE, summary=str(absent))
    except Exception as problem:  # noqa: BLE001 - one check must never take the others with it
        reason = reason_for(problem)
        if reason == UnknownReason.PARSE_ERROR and not isinstance(problem, ValueError):
            bugs.append(f"{type(problem).__name__}: {problem}")
        return None, Finding(status=Status.UNKNOWN, reason=reason, summary=_words_of(problem))


def _words_of(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.strerror}: {problem.filename}" if problem.filename else problem.strerror
    return str(problem) or type(problem).__name__


def _compact(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _compact(value) for key, value in part.items() if value is not None and value != ()}
    if isinstance(part, (list, tuple)):
        return [_compact(value) for value in part]
    return printable(part) if isinstance(part, str) else part
