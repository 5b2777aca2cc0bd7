"""One source as a task for a worker: what goes wrong in it is a source that was not read, and nothing more."""

from __future__ import annotations

import importlib

import diag.reset.sources
from diag.nodekit.judge import Document, attempt
from diag.nodekit.listing import modules_of
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.vocabulary import UnknownReason
from diag.reset.evidence import Report
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState, UnknownCause

CAUSES = {
    (Source.JOURNAL, UnknownReason.NOT_PERMITTED): UnknownCause.JOURNAL_NOT_PERMITTED,
    (Source.JOURNAL, UnknownReason.IO_ERROR): UnknownCause.JOURNAL_MISSING,
    (Source.JOURNAL, UnknownReason.MISSING_TOOL): UnknownCause.JOURNAL_MISSING,
    (Source.JOURNAL, UnknownReason.PARSE_ERROR): UnknownCause.JOURNAL_UNREADABLE,
    (Source.WTMP, UnknownReason.IO_ERROR): UnknownCause.WTMP_MISSING,
    (Source.WTMP, UnknownReason.PARSE_ERROR): UnknownCause.WTMP_UNREADABLE,
    (Source.PSTORE, UnknownReason.IO_ERROR): UnknownCause.PSTORE_MISSING,
    (Source.PSTORE, UnknownReason.NOT_PERMITTED): UnknownCause.PSTORE_UNREADABLE,
}
"""What it is called when one of the sources that decide was not read; the others only add to the picture."""


class SourceTask:
    """The source in a module of `diag.reset.sources`."""

    def __init__(self, name: str, scope: Scope) -> None:
        self.name, self._scope = name, scope
        self._module = importlib.import_module(f"diag.reset.sources.{name}")
        self.elevated: tuple[tuple[str, ...], ...] = self._module.ELEVATED

    def described(self) -> Document:
        """Name, budget in seconds, commands that need root."""
        return {"source": self.name, "seconds": self.seconds, "elevated": [list(argv) for argv in self.elevated]}

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""
        return float(self._module.SECONDS)

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The report, and what broke in a way that is our own bug."""
        report, trouble = attempt(lambda: self._module.read(machine, self._scope))
        if report is not None:
            return [report.as_document()], []
        if trouble is None or trouble.reason is None:
            summary = trouble.summary if trouble else "nothing"
            return [Report(self.name, SourceState.ABSENT, printable(summary)).as_document()], []
        return self.unjudged(trouble.reason, trouble.summary), [trouble.bug] if trouble.bug else []

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """The report for when nothing was read."""
        cause = CAUSES.get((self.name, reason))
        return [Report(self.name, SourceState.UNREAD, printable(f"{reason}: {summary}", 300), cause).as_document()]


def load_sources(scope: Scope) -> list[SourceTask]:
    """Every source, the journal first: it takes longest."""
    names = sorted(modules_of(diag.reset.sources), key=lambda name: (name != Source.JOURNAL, name))
    return [SourceTask(name, scope) for name in names]
