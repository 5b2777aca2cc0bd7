"""What the running boot has armed and counts, told beside the checks: the bastion keeps it from visit to visit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diag.nodekit.judge import Document, attempt
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import Smart
from diag.reset.journal import is_on_disk
from diag.reset.scope import Scope
from diag.reset.sources import boot, nvme, tpm, watchdog
from diag.reset.sources.pstore import backend

KEYS = (
    "boot_id", "uptime_s", "journal_persistent", "pstore_backend", "watchdog_identity", "watchdog_state",
    "watchdog_bootstatus", "panic_timeout_s", "crash_kernel_loaded", "unsafe_shutdowns", "power_cycles", *tpm.KEYS,
)  # fmt: skip
"""What the document has of them; null where it could not be read."""

PART = "witnesses"


def empty() -> Document:
    """Nothing known."""
    return dict.fromkeys(KEYS)


def together(documents: Iterable[Document]) -> Document:
    """Those of several documents with PART, as one."""
    found = empty()
    for document in documents:
        found |= document.get(PART, {})
    return {PART: found}


def of_drive(smart: Smart) -> list[Document]:
    """What the drive counts: of the log that its checks judge, since it is not asked twice."""
    return [{PART: nvme.counts_of(smart)}]


class WitnessTask:
    """Answers one document with PART: what no check reads."""

    seconds = boot.SECONDS + watchdog.SECONDS + tpm.SECONDS
    elevated = (*boot.ELEVATED, *watchdog.ELEVATED, *tpm.ELEVATED)

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The witnesses; what could not be read is null, and no bug of ours is worth a visit."""
        found: Document = {
            "journal_persistent": is_on_disk(machine),
            "pstore_backend": attempt(lambda: backend(machine))[0],
        }
        for source in (boot, watchdog, tpm):
            found |= _facts(source, machine)
        return [{PART: {key: value for key, value in found.items() if key in KEYS}}], []

    def unjudged(self, reason: str, summary: str) -> list[Document]:  # noqa: ARG002 - as every task
        """Nothing, for when it did not come back."""
        return []


def _facts(source: Any, machine: Machine) -> Document:
    report, _ = attempt(lambda: source.read(machine, Scope()))
    return {} if report is None else dict(report.facts)
