"""The journal, boot by boot: how each ended, what the next one found, what was wrong before."""

from __future__ import annotations

import re
from dataclasses import replace

from diag.nodekit.machine import Machine
from diag.reset import marks, messages
from diag.reset.entries import Entry
from diag.reset.evidence import Boot, Report, Seen, fingerprint
from diag.reset.journal import ELEVATED as COMMANDS
from diag.reset.journal import START_S, Journal, is_on_disk, open_journal
from diag.reset.rules import ALL_STEPS
from diag.reset.scope import Scope
from diag.reset.sources.boot import current_boot
from diag.reset.words import Source, SourceState, UnknownCause

SECONDS = 20.0
ELEVATED = COMMANDS
EXCERPT = "/cmd/journal-excerpt"  # in a tree: lines were left out, so that a missing one proves nothing
DRIFT_S, MOST_STARTS = 5.0, 8
MOST_LINES = 600  # of the kernel's, kept of each boot to bind other records by
FIRST_WORDS = re.compile(r"systemd \S+ running in system mode")
LAST_WORDS_S = 2.0  # what a kernel still prints after it panicked


def read(machine: Machine, scope: Scope) -> Report:
    """The boots within `scope`, oldest first, with what their entries hold; none where it lacks the running one."""
    journal = open_journal(machine)
    complete = not machine.exists(EXCERPT)
    newest = current_boot(machine)
    wanted = scope.of(newest, journal.before) if newest is not None and journal.holds(newest) else []
    boots: list[Boot] = []
    seen: list[Seen] = []
    for boot_id in reversed(wanted):
        boot, found = _boot(journal, boot_id)
        boots.insert(0, boot)
        seen += found
        if boot.last_s is None:
            break  # what is listed before it was vacuumed away as well
    whole = complete and not journal.complaints
    if not whole:
        boots = [replace(boot, whole_since_s=None, head=False) for boot in boots]
    on_disk = is_on_disk(machine)
    detail = journal.complaints[0] if journal.complaints else None if complete else "an excerpt: lines were left out"
    return Report(
        Source.JOURNAL,
        SourceState.READ if whole else SourceState.PARTIAL,
        detail,
        _cause(journal, boots, on_disk=on_disk),
        seen=tuple(seen),
        boots=tuple(boots),
        facts={"journal_persistent": on_disk, "excerpt": not complete},
    )


def _cause(journal: Journal, boots: list[Boot], *, on_disk: bool | None) -> str | None:
    """Why this journal does not tell of the boot before."""
    if journal.complaints:
        return UnknownCause.JOURNAL_UNREADABLE
    return UnknownCause.JOURNAL_VOLATILE if len(boots) < 2 and on_disk is False else None


def _boot(journal: Journal, boot_id: str) -> tuple[Boot, list[Seen]]:
    end, start = journal.ending(boot_id), journal.beginning(boot_id)
    ending, beginning = _last_user_space(end.entries), start.entries
    if not ending:
        return Boot(boot_id), []
    first, last = (beginning or ending)[0], ending[-1]
    lines = [entry for entry in ending if entry.is_kernel]
    boot = Boot(
        boot_id=boot_id,
        last_real=last.real_us / 1e6,
        starts=_starts(beginning + ending),
        last_s=max(entry.at_s for entry in ending),
        first_sequence=first.sequence,
        last_sequence=last.sequence,
        whole_since_s=end.since_s,
        head=start.is_read_until(_started_s(start.gapless)),
        user_space_s=_user_space_s(beginning + ending),
        first_process_s=_first_process_s(beginning),
        kernel=tuple(fingerprint(entry.at_us, entry.message) for entry in lines[-MOST_LINES:]),
    )
    return boot, things_in(ending, beginning, f"journalctl -b {boot_id.replace('-', '')}")


def things_in(ending: list[Entry], beginning: list[Entry], locator: str) -> list[Seen]:
    """What the end and the beginning of one boot hold, as far as it stands where it means what it says."""
    found = [
        *messages.seen_in(beginning, messages.BEGINNING, locator),
        *messages.seen_in(ending, messages.ENDING + messages.ALARMS + marks.ENDING, locator),
        *messages.seen_in(_before_the_shutdown(ending), messages.CAUSES, locator),
    ]
    return [kept for one in found for kept in _placed(one, ending, beginning)]


def _before_the_shutdown(ending: list[Entry]) -> list[Entry]:
    """What came before the first step of a shutdown; nothing where there was none."""
    steps = [one for one in messages.ENDING if f"from:{one.kind}" in ALL_STEPS]
    first = min((entry.at_s for entry in ending if any(one.match(entry) for one in steps)), default=0.0)
    return [entry for entry in ending if entry.at_s <= first]


def _started_s(entries: list[Entry]) -> float:
    """When the start was over: by then the root file system is mounted for good, and all is said that it needed."""
    told = (entry.at_s for entry in entries if entry.is_init and entry.message.startswith("Startup finished in "))
    return min(next(told, START_S), START_S)


def _last_user_space(ending: list[Entry]) -> list[Entry]:
    """The entries since user space was last restarted: that shutdown was not the end of this boot."""
    again = [index for index, entry in enumerate(ending) if entry.is_init and entry.message == "Soft-rebooting."]
    rest = ending[again[-1] + 1 :] if again else ending
    return rest if any(messages.init(entry) for entry in rest) else ending


def _starts(entries: list[Entry]) -> tuple[float, ...]:
    """When the boot began, by each setting of the clock of the day; a clock that drifts is not set."""
    starts: list[float] = []
    for entry in entries:
        start = (entry.real_us - entry.arrived_us) / 1e6
        if all(abs(start - known) > DRIFT_S for known in starts):
            starts.append(start)
    return tuple(starts[:MOST_STARTS])


def _placed(one: Seen, ending: list[Entry], beginning: list[Entry]) -> tuple[Seen, ...]:
    """The thing seen, if it stands where it means what it says."""
    judge = {
        "journal_unclean": lambda: _is_first_journald(one, beginning),
        "root_recovered": lambda: _is_of_root(one, beginning),
        "journal_stopped": lambda: _is_last(one, ending),
        "kernel_panic": lambda: _is_last(one, ending, LAST_WORDS_S),
        "fatal_words": lambda: _is_last(one, ending, LAST_WORDS_S),
        "watchdog_armed": lambda: not _after(one, beginning, "Shutting down."),
        "suspended": lambda: _is_last(one, ending, LAST_WORDS_S),
        "soft_reboot": lambda: _is_last(one, ending, START_S),
    }.get(one.kind)
    return (one,) if judge is None or judge() else ()


def _is_of_root(one: Seen, beginning: list[Entry]) -> bool:
    """What the kernel recovers before the first process speaks is the root; later it may be any other file system."""
    first = next((entry.at_s for entry in beginning if entry.is_init), None)
    return not one.excerpt.startswith("kernel:") or first is None or (one.at_s or 0.0) < first


def _is_first_journald(one: Seen, beginning: list[Entry]) -> bool:
    """Only the first journald of a boot tells of the boot before; one that is restarted finds what the first left."""
    said = [entry for entry in beginning if messages.journald_or_kmsg(entry)]
    soft = any(entry.is_init and "soft-reboot" in entry.message.lower() for entry in beginning)
    mine = [entry for entry in said if entry.at_s == one.at_s]
    return not soft and bool(mine) and mine[0].pid == said[0].pid and (one.at_s or 0.0) < START_S


def _is_last(one: Seen, ending: list[Entry], seconds: float = 0.0) -> bool:
    """Whether no program said anything more than `seconds` later."""
    at = one.at_s or 0.0
    return not any(entry.at_s > at + seconds for entry in ending if entry.transport != "kernel")


def _after(one: Seen, entries: list[Entry], message: str) -> bool:
    at = one.at_s or 0.0
    return any(entry.is_init and entry.message == message and entry.at_s <= at for entry in entries)


def _user_space_s(entries: list[Entry]) -> float | None:
    """When user space began, by the first process itself: systemd enters that very time in wtmp."""
    told = (entry.user_space_us for entry in entries if entry.is_init and entry.user_space_us is not None)
    first = next(told, None)
    return None if first is None else first / 1e6


def _first_process_s(beginning: list[Entry]) -> float | None:
    """When systemd first spoke, to the kernel's log; that of an initramfs spoke before it in the same words."""
    said = [
        entry.at_s
        for entry in beginning
        if entry.transport == "kernel" and entry.identifier == "systemd" and FIRST_WORDS.match(entry.message)
    ]
    return said[-1] if said else None
