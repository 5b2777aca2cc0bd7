"""`health`: judge the machine (L1)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from diag.nodekit import document, envelope
from diag.nodekit.catalogue import elevated_commands, load_checks
from diag.nodekit.check import LoadedCheck
from diag.nodekit.judge import Document, group_by_observation
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import observe_smart
from diag.nodekit.vocabulary import Status
from diag.nodekit.workers import Results, Task
from diag.reset.witnesses import WitnessTask, of_drive, together


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:
    """Print the health document; returns the exit status."""
    checks = load_checks()
    machine.elevated_commands = elevated_commands(checks) | frozenset(WitnessTask.elevated)

    def data(results: Results) -> Document:
        found = [part for part in results.documents if "check" in part]
        findings = sorted(found, key=lambda finding: str(finding["check"]))
        told = {"level": options.level, "findings": findings, "rollup": document.roll_up(findings)}
        return told | together(results.documents)

    return envelope.run(
        options, machine, tasks(checks), schema="sparkctl.health/1", data=data, drops=DROPS, started=started
    )  # fmt: skip


def tasks(checks: list[LoadedCheck]) -> list[Task]:
    """Everything that is looked at, each once."""
    return [*group_by_observation(checks, {observe_smart: of_drive}), WitnessTask()]


def _drop_readings(statuses: Iterable[str]) -> Callable[[Document], int]:
    def drop(data: Document) -> int:
        chosen = [finding for finding in data["findings"] if finding["status"] in statuses and finding.get("readings")]
        return sum(len(finding.pop("readings")) for finding in chosen)

    return drop


def _drop_key(key: str) -> Callable[[Document], int]:
    def drop(data: Document) -> int:
        return sum(finding.pop(key, None) is not None for finding in data["findings"])

    return drop


def _shorten_summaries(data: Document) -> int:
    long: list[Any] = [finding for finding in data["findings"] if len(finding["summary"]) > 120]
    for finding in long:
        finding["summary"] = finding["summary"][:119] + "…"
    return len(long)


DROPS: tuple[document.Drop, ...] = (
    ("readings of what passed", _drop_readings((Status.PASS, Status.NOT_APPLICABLE))),
    ("readings of the rest", _drop_readings((Status.UNKNOWN, Status.WARN, Status.FAIL))),
    ("thresholds", _drop_key("threshold")),
    ("locators", _drop_key("locator")),
    ("long summaries", _shorten_summaries),
)
