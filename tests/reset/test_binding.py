"""To which boot a record belongs: by kernel messages at the microsecond, and by the order of wtmp."""

from dataclasses import replace

import pytest

from diag.reset.binding import Wtmp, bound, wtmp_between
from diag.reset.evidence import Boot, Report, fingerprint
from diag.reset.sources.pstore import binding_lines
from diag.reset.words import Source, SourceState
from tests.reset.evidence_of import AFTER, BEFORE, thing

LINES = [(51_627_937, "i6300ESB timer: initialized"), (58_830_738, "input: Power Button"), (92_640_020, "sysrq: crash")]
DAY = 86_400.0
START = 1_795_000_000.0


def record(*stamps: tuple[int, str]) -> str:
    return "Panic#1 Part1\n" + "\n".join(f"<4>[{us // 10**6:5d}.{us % 10**6:06d}] {words}" for us, words in stamps)


def kernel_of(*stamps: tuple[int, str]) -> tuple[str, ...]:
    return tuple(fingerprint(us, words) for us, words in stamps)


def test_a_record_is_bound_by_messages_of_the_same_microsecond() -> None:
    dump = thing("panic_record", None, source="pstore", binds=binding_lines(record(*LINES)))
    boots = [Boot(BEFORE, kernel=kernel_of(*LINES)), Boot(AFTER, kernel=kernel_of((51_627_938, LINES[0][1])))]
    assert bound(dump, boots).boot_id == BEFORE


def test_two_messages_are_too_few_and_the_same_words_at_other_times_are_none() -> None:
    dump = thing("panic_record", None, source="pstore", binds=binding_lines(record(*LINES)))
    later = [(us + 1, words) for us, words in LINES]
    assert bound(dump, [Boot(BEFORE, kernel=kernel_of(*LINES[:2]))]).boot_id is None
    assert bound(dump, [Boot(BEFORE, kernel=kernel_of(*later))]).boot_id is None


def test_a_record_that_two_boots_share_is_bound_to_neither() -> None:
    dump = thing("panic_record", None, source="pstore", binds=binding_lines(record(*LINES)))
    assert bound(dump, [Boot(BEFORE, kernel=kernel_of(*LINES)), Boot(AFTER, kernel=kernel_of(*LINES))]).boot_id is None


def test_messages_of_a_coarse_clock_bind_nothing() -> None:
    coarse = [(at * 10_000, f"message {at}") for at in range(1, 60)]
    assert binding_lines(record(*coarse)) == ()


def boots(*starts: float) -> list[Boot]:
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, len(starts) + 1)]
    return [Boot(boot_id, starts=(start,), first_process_s=7.0) for boot_id, start in zip(ids, starts, strict=True)]


def wtmp(*records: tuple[str, float]) -> Report:
    return Report(Source.WTMP, SourceState.READ, facts={"records": [list(one) for one in records], "locator": "wtmp"})


def told(report: Report, all_boots: list[Boot], index: int = -2) -> tuple[str | None, bool | None]:
    seen, adjacent = wtmp_between(Wtmp.of(report, all_boots), all_boots[index], all_boots[index + 1])
    return (seen.kind if seen else None), adjacent


def test_a_shutdown_between_two_boots() -> None:
    both = boots(START, START + 500)
    clean = wtmp(("boot", START + 4), ("shutdown", START + 490), ("boot", START + 504))
    assert told(clean, both) == ("wtmp_shutdown", True)
    assert told(wtmp(("boot", START + 4), ("boot", START + 504)), both) == ("wtmp_no_shutdown", True)


def test_a_boot_that_the_journal_has_not_is_noticed() -> None:
    both = boots(START, START + 5000)
    assert told(wtmp(("boot", START + 4), ("boot", START + 2000), ("boot", START + 5004)), both) == (None, False)
    near = wtmp(("boot", START + 4), ("boot", START + 60), ("boot", START + 5004))
    assert told(near, both) == (None, False)


@pytest.mark.parametrize("shift", [0.0, -30 * 365 * DAY, 11 * 365 * DAY])
def test_boots_of_a_minute_each_are_told_apart_whatever_the_clock_says(shift: float) -> None:
    starts = [START + shift + number * 60 for number in range(5)]
    records = [part for start in starts for part in (("boot", start + 3), ("shutdown", start + 50))]
    for index in range(-5, -1):
        assert told(wtmp(*records[:-1]), boots(*starts), index) == ("wtmp_shutdown", True)


def test_every_boot_began_in_1970() -> None:
    """No clock that keeps time: only the order of the records tells the boots apart."""
    starts = [5.0, 5.2, 4.9]
    report = wtmp(("boot", 8.1), ("boot", 8.0), ("shutdown", 900.0), ("boot", 8.2))
    assert told(report, boots(*starts), -2) == ("wtmp_shutdown", True)
    assert told(report, boots(*starts), -3) == ("wtmp_no_shutdown", True)


def test_a_clock_that_was_set_while_the_boot_ran() -> None:
    before, after = boots(3.0, START + 900)
    before = replace(before, starts=(3.0, START))
    report = wtmp(("boot", START + 5), ("shutdown", START + 800), ("boot", START + 905))
    assert told(report, [before, after]) == ("wtmp_shutdown", True)


def test_user_space_that_was_restarted_is_one_boot() -> None:
    report = wtmp(("boot", START + 4), ("shutdown", START + 90), ("boot", START + 4), ("boot", START + 504))
    assert told(report, boots(START, START + 500)) == ("wtmp_no_shutdown", True)


def test_wtmp_of_another_machine_says_nothing() -> None:
    other = wtmp(("boot", START - 40 * DAY), ("shutdown", START - 30 * DAY), ("boot", START - 29 * DAY))
    assert told(other, boots(START, START + 500)) == (None, None)


@pytest.mark.parametrize(("late_s", "bound"), [(1.9, False), (2.1, True), (6.9, True), (7.1, False), (120.0, False)])
def test_without_the_end_of_the_start_a_boot_is_dated_by_its_first_process(late_s: float, bound: bool) -> None:
    """It spoke seven seconds after the kernel; user space began at most five seconds before."""
    both = boots(START, START + 5000)
    report = wtmp(("boot", START + late_s), ("boot", START + 5000 + late_s))
    assert told(report, both) == (("wtmp_no_shutdown", True) if bound else (None, None))
    assert told(report, [replace(boot, first_process_s=None) for boot in both]) == (None, None)


def test_wtmp_that_ends_before_the_next_boot_says_nothing() -> None:
    assert told(wtmp(("boot", START + 4)), boots(START, START + 500)) == (None, None)


DAYS_UP = 70


def long_life() -> list[Boot]:
    """A boot of seventy days, whose own entry logrotate threw away, and the one after it."""
    before, after = boots(START, START + DAYS_UP * DAY)
    return [replace(before, last_real=START + DAYS_UP * DAY - 30), after]


def test_a_boot_whose_entry_was_rotated_away_is_known_by_what_was_entered_in_its_life() -> None:
    end = START + DAYS_UP * DAY
    login, boot = ("other", end - 5 * DAY), ("boot", end + 4)
    assert told(wtmp(login, ("shutdown", end - 28), boot), long_life()) == ("wtmp_shutdown", True)
    assert told(wtmp(("shutdown", end - 28), boot), long_life()) == ("wtmp_shutdown", True)
    assert told(wtmp(login, boot), long_life()) == ("wtmp_no_shutdown", True)


def test_a_wtmp_that_begins_with_the_next_boot_says_nothing_of_the_one_before() -> None:
    end = START + DAYS_UP * DAY
    assert told(wtmp(("boot", end + 4), ("other", end + 90)), long_life()) == (None, None)


def test_a_boot_in_the_middle_of_the_life_of_another_is_one_that_the_journal_has_not() -> None:
    end = START + DAYS_UP * DAY
    report = wtmp(("boot", end - 3 * DAY), ("other", end - 2 * DAY), ("boot", end + 4))
    assert told(report, long_life()) == (None, False)
