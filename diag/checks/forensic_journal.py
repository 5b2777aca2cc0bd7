"""Does the journal outlive a reboot? Without that, nobody can tell afterwards why a node went down."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.journal_files import ACTIVE, ON_DISK, JournalFiles, observe_journal_files
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Journal kept on disk")

observe = observe_journal_files


def evaluate(seen: JournalFiles) -> Finding:
    fault = _fault(seen)
    readings = (Reading("Storage", seen.storage), Reading("files", len(seen.files or ()), "1", seen.folder))
    if fault is None:
        return Finding(
            Status.PASS,
            f"The journal is kept in {seen.folder}, {len(seen.archived)} archived files",
            value=seen.storage,
            locator=ON_DISK,
            readings=readings,
        )
    return Finding(
        Status.WARN,
        f"{fault}: what the node says before it goes down is lost",
        value=seen.storage,
        locator=ON_DISK,
        action=f"Run `mkdir -p {ON_DISK}`, set Storage=persistent in /etc/systemd/journald.conf, restart "
        "systemd-journald and run `journalctl --flush`",
        readings=readings,
    )


def _fault(seen: JournalFiles) -> str | None:
    """As journald.conf(5) has it: `auto` keeps the journal on disk where the folder exists."""
    if seen.storage in ("volatile", "none"):
        return f"journald is set to Storage={seen.storage}"
    if seen.files is None:
        return f"There is no {ON_DISK}"
    if ACTIVE not in seen.files:
        return f"journald writes no {ACTIVE} to {seen.folder}"
    return None
