"""How often did the node go down without closing its journal? So do power cuts, resets and hangs."""

from __future__ import annotations

from diag.nodekit.age import DAY
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.journal_files import ON_DISK, JournalFiles, observe_journal_files
from diag.nodekit.printable import times
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Journals left open")
RECENT_DAYS = 7
TIMES = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    provenance="systemd, journal-file.c: a file found open is put aside as `~`; hard cuts of GB10 under load left them "
    "(owner reports, 2025-2026). 7 days: judgement",
)

observe = observe_journal_files


def evaluate(seen: JournalFiles) -> Finding:
    seen.require_on_disk()
    recent = [moment for moment in seen.put_aside if seen.now - moment < RECENT_DAYS * DAY]
    return judged(
        TIMES,
        len(recent),
        f"The journal was left open {times(len(recent))} in {RECENT_DAYS} days, last found "
        f"{max(0.0, seen.now - recent[-1]) / DAY:.1f} days ago"
        if recent
        else f"No journal that is kept was left open in the last {RECENT_DAYS} days",
        action="Read the end of the boot before (`journalctl -b -1 -e`), boot.pstore and the power feed: a journal "
        "that ends without a shutdown means a cut, a reset or a hang",
        unit="1",
        locator=ON_DISK,
        readings=(Reading("ever", len(seen.put_aside), "1", seen.folder),),
    )
