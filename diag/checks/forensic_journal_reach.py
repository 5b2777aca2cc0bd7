"""Does the journal reach back beyond this boot? A journal that is kept too small loses the boot one asks about."""

from __future__ import annotations

from diag.nodekit.age import DAY
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.journal_files import ON_DISK, JournalFiles, observe_journal_files
from diag.nodekit.printable import age
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="Journal of earlier boots")
REACH = Threshold(
    Comparison.AT_MOST,
    warn=60,
    provenance="journald.conf(5), SystemMaxUse: the oldest files go first; a reset is explained by the boot before it. "
    "60 s: as far as the hardware clock may be off at boot (time.rtc)",
)
PUT_ASIDE_WITHIN = 600.0  # seconds from boot until a file that the last boot left open is put aside

observe = observe_journal_files


def evaluate(seen: JournalFiles) -> Finding:
    seen.require_on_disk()
    if any(moment < seen.booted + PUT_ASIDE_WITHIN for moment in seen.put_aside):
        return _found(seen, "The journal of the boot before this one is kept, in a file that was not closed", None)
    oldest = min([*seen.archived, *([] if seen.active_begins is None else [seen.active_begins])], default=None)
    if oldest is None:
        if seen.hidden:
            raise Unevaluated(UnknownReason.NOT_PERMITTED, f"{seen.folder} has no archive, and its file needs root")
        raise ValueError(f"no file in {seen.folder} tells when it begins")
    reach = round(seen.booted - oldest)
    if REACH.judge(reach) != Status.PASS and seen.booted - seen.machine_id_written < DAY:
        return _found(seen, "No boot before this one is known: the machine id is not older than it", reach)
    return judged(
        REACH,
        reach,
        f"The journal begins {age(abs(reach))} {'before' if reach > 0 else 'after'} this boot",
        action="Raise SystemMaxUse in /etc/systemd/journald.conf and see who floods the journal: "
        "`journalctl -b -o cat | sort | uniq -c | sort -rn | head`",
        unit="s",
        locator=ON_DISK,
        readings=(Reading("archived files", len(seen.archived), "1", seen.folder),),
    )


def _found(seen: JournalFiles, summary: str, reach: int | None) -> Finding:
    return Finding(Status.PASS, summary, value=reach, unit=None if reach is None else "s", locator=seen.folder)
