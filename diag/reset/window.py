"""Windows: the end of one boot and the beginning of the next, with all that is bound to either. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from diag.reset import rules
from diag.reset.binding import Wtmp, bound, wtmp_between
from diag.reset.evidence import Boot, Report, Seen
from diag.reset.words import Source, SourceState, UnknownCause

NO_BACKEND = (None, "", "(null)", "none")


@dataclass(frozen=True)
class Window:
    """One transition. `seen` is by token (`from:KIND`, `to:KIND`), `loose` what could not be bound to a boot.

    `earlier` is of the boot that ended, and too long before its end to bear on it (see rules.NEAR_END).

    `covered` names the places that were looked at, `uncovered` has of others why they were not; `causes` are those of
    sources that were not read.
    """

    index: int
    from_boot: Boot | None
    to_boot_id: str | None
    seen: dict[str, Seen] = field(default_factory=dict)
    earlier: tuple[Seen, ...] = ()
    loose: tuple[Seen, ...] = ()
    covered: frozenset[str] = frozenset()
    uncovered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    causes: tuple[tuple[str, str | None], ...] = ()
    to_boot: Boot | None = None

    @property
    def last_sign_s(self) -> float | None:
        """The last sign of life of the boot that ended, in its journal or beyond, in seconds since it began."""
        if self.from_boot is None or self.from_boot.last_s is None:
            return None
        signs = [one.at_s for token, one in self.seen.items() if token.startswith("from:") and one.at_s is not None]
        return max([self.from_boot.last_s, *signs])


def windows(reports: Sequence[Report], current: str | None, back: int | None) -> list[Window]:
    """The transitions that were asked for, newest first; there is always one, be it with nothing in it.

    `back` is 0 for the newest, 1 for the one before it, None for all.
    """
    by_source = {report.source: report for report in reports}
    journal = by_source.get(Source.JOURNAL)
    boots = list(journal.boots) if journal else []
    things = [bound(one, boots) for report in reports for one in report.seen]
    pairs = list(pairwise(boots))[::-1]
    entered = Wtmp.of(by_source.get(Source.WTMP), boots)
    found = [
        _window(-number, pair, entered, things, by_source)
        for number, pair in enumerate(pairs)
        if back is None or number == back
    ]
    return found or [_empty(-(back or 0), boots, journal, things, current)]


def _window(
    index: int, pair: tuple[Boot, Boot], records: Wtmp, things: list[Seen], by_source: dict[str, Report]
) -> Window:
    before, after = pair
    entered, adjacent = wtmp_between(records, before, after)
    causes = list(_causes(by_source))
    loose = tuple(one for one in things if one.boot_id is None)
    wtmp = by_source.get(Source.WTMP)
    # Who makes an excerpt says which boot follows which.
    trusted = by_source[Source.JOURNAL].facts.get("excerpt") is True
    keeps_none = wtmp is not None and wtmp.state == SourceState.ABSENT
    missed = _missed(before, after, wtmp, adjacent=adjacent, needs_none=keeps_none or trusted)
    if before.last_s is None or missed is not None:
        cause = missed or (UnknownCause.JOURNAL_LOST_BOOT, "the journal names the boot and holds no entry of it")
        gone = None if missed else before
        return Window(index, gone, after.boot_id, loose=loose, causes=(cause, *causes), to_boot=after)
    if entered is None and wtmp is not None and wtmp.is_read:
        causes.append((UnknownCause.WTMP_NOT_BOUND, "wtmp has no records of these two boots that follow each other"))
    everything = [*things, entered] if entered else things
    sides = ((before.boot_id, "from"), (after.boot_id, "to"))
    seen = {f"{side}:{one.kind}": one for boot_id, side in sides for one in everything if one.boot_id == boot_id}
    uncovered = dict(_uncovered(index, before, after, seen, is_entered=entered is not None))
    if not _keeps_records(by_source.get(Source.PSTORE)):
        uncovered[rules.RECORDS] = (UnknownCause.PSTORE_MISSING, "nothing tells that a panic would have left a record")
    kept = {token: one for token, one in seen.items() if _is_near(token, one, seen, before)}
    places = frozenset(rules.PLACES) - frozenset(uncovered)
    earlier = tuple(one for token, one in seen.items() if token not in kept)
    return Window(index, before, after.boot_id, kept, earlier, loose, places, uncovered, tuple(causes), after)


def _missed(
    before: Boot, after: Boot, wtmp: Report | None, *, adjacent: bool | None, needs_none: bool
) -> tuple[str, str | None] | None:
    """Why another boot may lie between two that the journal has one after the other; None where none can.

    `adjacent` is what wtmp says of it.
    """
    if adjacent is False:
        return UnknownCause.BOOTS_MISSED, "wtmp has a boot between these two that the journal has not"
    if before.last_s is None or adjacent:
        return None
    if before.last_sequence is None or after.first_sequence is None or _is_whole(before, after):
        if needs_none:
            return None
        words = "only wtmp would show a boot between these two that kept no journal"
        if wtmp is None or wtmp.is_read:
            return UnknownCause.WTMP_MISSING if wtmp is None else UnknownCause.WTMP_NOT_BOUND, words
        return wtmp.cause or UnknownCause.WTMP_MISSING, f"{words}; it was not read: {wtmp.detail}"
    gap = after.first_sequence - before.last_sequence - 1
    words = f"{gap} entries between them are not there" if gap > 0 else "it was begun anew between them"
    return UnknownCause.BOOTS_MISSED, f"the journal does not go on from one of these boots to the other: {words}"


def _is_whole(before: Boot, after: Boot) -> bool:
    """Whether no entry between the last of one boot and the first of the next is missing, where they are numbered.

    journald numbers on from boot to boot, also where it begins a new file with another id, as since version 254.
    """
    if before.last_sequence is None or after.first_sequence is None:
        return True
    return after.first_sequence == before.last_sequence + 1


def _is_near(token: str, one: Seen, seen: dict[str, Seen], boot: Boot) -> bool:
    limit = rules.NEAR_END.get(one.kind)
    if limit is None or not token.startswith("from:") or one.at_s is None:
        return True
    return one.at_s >= _first_step_s(seen, boot) - limit


def _first_step_s(seen: dict[str, Seen], boot: Boot) -> float:
    """When the shutdown began, as far as it was seen, in seconds since boot; where there was none, the last entry."""
    steps = [step.at_s for step in map(seen.get, rules.ALL_STEPS) if step is not None and step.at_s is not None]
    return min([*steps, boot.last_s or 0.0])


def _uncovered(
    index: int, before: Boot, after: Boot, seen: dict[str, Seen], *, is_entered: bool
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The places where a missing thing proves nothing, and why."""
    began = _first_step_s(seen, before)
    for place, seconds in ((rules.END, rules.END_S), (rules.TAIL, rules.TAIL_S)):
        since = before.whole_since_s
        if since is None or not _is_whole(before, after):
            yield place, (UnknownCause.JOURNAL_UNREADABLE, "entries of the end of that boot are missing")
        elif since > max(began - seconds, 0.0):
            yield place, (UnknownCause.JOURNAL_UNREADABLE, _too_near(began - since, seconds))
    if not after.head:
        words = "the start of the next boot was not read whole: its journal is cut, or lacks entries"
        yield rules.HEAD, (UnknownCause.JOURNAL_UNREADABLE, words)
    if not is_entered:
        yield rules.WTMP, (UnknownCause.WTMP_NOT_BOUND, "wtmp does not tell of these two boots")
    # What the initramfs saw of the root is kept for the running boot only; of earlier ones nobody can know it.
    if index == 0 and not any(token in seen for token in ("to:root_clean", "to:root_recovered")):
        yield rules.ROOT, (UnknownCause.NO_WITNESS, "nothing tells whether the root file system had to be recovered")


def _keeps_records(pstore: Report | None) -> bool:
    """Whether a panic would have left a record, so that none means something."""
    if pstore is None or pstore.state not in (SourceState.READ, SourceState.ABSENT):
        return False
    return pstore.facts.get("pstore_backend") not in NO_BACKEND


def _too_near(read_s: float, wanted_s: float) -> str:
    """In words, how far back the journal was read before the shutdown began, or the last entry."""
    if read_s < 0:
        return "entries of the shutdown itself are missing, or too many for one reading"
    return (
        f"of what came before the shutdown, or before the last entry, only {read_s:.0f} s were read without an entry "
        f"missing; {wanted_s:.0f} s bear on it"
    )


def _empty(index: int, boots: list[Boot], journal: Report | None, things: list[Seen], current: str | None) -> Window:
    loose = tuple(one for one in things if one.boot_id is None)
    cause: tuple[str, str | None]
    if index < 0 and boots:
        words = "the journal that was read does not hold so many boots"
        return Window(index, None, None, loose=loose, causes=((UnknownCause.NO_PREVIOUS_BOOT, words),))
    if journal is None:
        cause = (UnknownCause.NOT_COLLECTED, "no journal was looked at")
    elif journal.state == SourceState.UNREAD:
        cause = (journal.cause or UnknownCause.SOURCE_FAILED, journal.detail)
    elif current is None:
        cause = (UnknownCause.NOT_COLLECTED, "nothing tells which boot was running")
    elif journal.cause is not None:
        cause = (journal.cause, journal.detail)
    elif not boots:
        cause = (UnknownCause.JOURNAL_LOST_BOOT, "the journal that is kept does not hold the running boot")
    else:
        cause = (UnknownCause.NO_PREVIOUS_BOOT, "the journal holds no boot before this one")
    return Window(index, None, current, loose=loose, causes=(cause,))


def _causes(by_source: dict[str, Report]) -> Iterator[tuple[str, str | None]]:
    for report in by_source.values():
        if report.cause is not None:
            yield report.cause, report.detail
