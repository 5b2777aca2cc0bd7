"""Bind what carries no boot id to the boot it belongs to: by kernel messages, or by the order of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diag.reset.evidence import Boot, Report, Seen
from diag.reset.sources.wtmp import BOOT, SHUTDOWN, Record
from diag.reset.words import Source

FEWEST = 3  # messages at the same microsecond with the same words; one could be a coincidence, three are not
MUCH_RARER = 4  # a second boot that shares messages must share that many times fewer
AGAIN_S = 0.01  # a restart of user space enters the very time again; measured: 4 microseconds beside it
ALIKE_S = 2.0  # boots of one machine take the same time to user space, up to this
EXACT_S = 0.05  # systemd dates the entry of a boot to when user space began: within 1 ms in 24 of 24 boots
END_S = 120.0  # after the last entry of a journal a shutdown is entered within that time
FIRST_WORDS_S = 5.0  # the first process speaks that soon after user space began; measured: 0.2 to 3.9 s
EARLY_S = 5.0  # a record may be dated that much before the boot whose it is: the clock of the day was adjusted


def bound(one: Seen, boots: Sequence[Boot]) -> Seen:
    """The thing seen with its boot, where its messages tell which; unchanged where they do not."""
    if one.boot_id is not None or not one.binds:
        return one
    shared = sorted(((len(set(one.binds) & set(boot.kernel)), boot.boot_id) for boot in boots), reverse=True)
    if not shared or shared[0][0] < FEWEST or (len(shared) > 1 and shared[1][0] * MUCH_RARER > shared[0][0]):
        return one
    return replace(one, boot_id=shared[0][1])


@dataclass(frozen=True)
class Entered:
    """Where a boot stands in wtmp: its first and its last record (a restart of user space enters it again)."""

    first: int
    last: int


def entered(records: Sequence[Record], boots: Sequence[Boot]) -> dict[str, Entered]:
    """Where each boot of a journal stands in wtmp; one that is not found is left out. Boots are oldest first.

    Both are in the order of writing, so they are followed back side by side; the time, by any setting of the clock
    while the boot ran, only tells whether a record and a boot can be one.
    """
    found: dict[str, Entered] = {}
    waiting = [index for index, (kind, _) in enumerate(records) if kind == BOOT]
    for boot in reversed(boots):
        place = _place(records, waiting, boot)
        if place is None:
            continue
        first = last = waiting[place]
        while place and _is_again(records[waiting[place - 1]][1], records[last][1]):
            place -= 1
            first = waiting[place]
        del waiting[place:]
        found[boot.boot_id] = Entered(first, last)
    return found


def _place(records: Sequence[Record], waiting: list[int], boot: Boot) -> int | None:
    """Which of the boots waiting, oldest first, is this one: the newest of those dated nearest to its beginning.

    Those after it are of boots that this journal does not hold.
    """
    fitting: dict[int, float] = {}
    for place in range(len(waiting) - 1, -1, -1):
        when = records[waiting[place]][1]
        offset = _offset(when, boot)
        if offset is not None:
            fitting[place] = offset
        elif when is None or not boot.starts or when < max(boot.starts):
            break
    nearest = min(fitting.values(), default=0.0)
    return max((place for place, offset in fitting.items() if offset <= nearest + ALIKE_S), default=None)


@dataclass(frozen=True)
class Wtmp:
    """The records of wtmp, oldest first, with the places of the boots of a journal in them."""

    records: Sequence[Record] = ()
    places: Mapping[str, Entered] = field(default_factory=dict)
    locator: str = ""

    @classmethod
    def of(cls, report: Report | None, boots: Sequence[Boot]) -> Wtmp:
        """What was read of wtmp, held against boots that are oldest first."""
        if report is None:
            return cls()
        records = [(str(kind), when) for kind, when in report.facts.get("records", [])]
        return cls(records, entered(records, boots), str(report.facts.get("locator")))


def wtmp_between(wtmp: Wtmp, before: Boot, after: Boot) -> tuple[Seen | None, bool | None]:
    """What wtmp says of the end of `before`, and whether no other boot came between; None where it cannot tell."""
    records, following = wtmp.records, wtmp.places.get(after.boot_id)
    if following is None:
        return None, None
    mine = wtmp.places.get(before.boot_id)
    first = mine.last + 1 if mine else _since_any_boot(records, following.first)
    if first > following.first or not (mine or _is_of(records[first : following.first], before)):
        return None, None
    between = records[first : following.first]
    if any(kind == BOOT for kind, _ in between):
        return None, False
    if not mine and first and _is_of(records[first - 1 : first], before):
        return None, False
    shut_down = any(kind == SHUTDOWN for kind, _ in between)
    words = "a shutdown is entered" if shut_down else "no shutdown is entered"
    told = f"{words} between the boots, records {first} to {following.first + 1} of {len(records)}"
    kind = "wtmp_shutdown" if shut_down else "wtmp_no_shutdown"
    return Seen(Source.WTMP, kind, wtmp.locator, told, boot_id=before.boot_id), True


def _since_any_boot(records: Sequence[Record], end: int) -> int:
    """The first record after the last boot that is entered before `end`."""
    return max((index + 1 for index in range(end) if records[index][0] == BOOT), default=0)


def _is_of(records: Sequence[Record], boot: Boot) -> bool:
    """Whether a record is dated within the life of a boot whose own entry was rotated away; its clock was never set."""
    if len(boot.starts) != 1 or boot.last_real is None:
        return False
    begin, end = boot.starts[0] - EARLY_S, boot.last_real + END_S
    return any(when is not None and begin <= when <= end for _, when in records)


def _offset(when: float | None, boot: Boot) -> float | None:
    """How far a record lies from where that of a boot is to be, None where it cannot be that boot's."""
    if when is None:
        return None
    if boot.user_space_s is not None:
        exact = [abs(when - start - boot.user_space_s) for start in boot.starts]
        return min((off for off in exact if off < EXACT_S), default=None)
    if boot.first_process_s is None:
        return None
    before = [boot.first_process_s - (when - start) for start in boot.starts]
    return min((off for off in before if 0 <= off <= FIRST_WORDS_S), default=None)


def _is_again(when: float | None, last: float | None) -> bool:
    return when is not None and last is not None and abs(when - last) < AGAIN_S
