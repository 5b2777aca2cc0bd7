"""Watchdogs: facts of the one that counts, and a mark of a reset that is bound to no boot."""

from pathlib import Path

import pytest

from diag.reset.sources import watchdog
from tests.reset.source_tree import BOOT_ID, BOOT_ID_FILE, report_from

FOLDER = "/sys/class/watchdog"


def files(number: int, identity: str, state: str = "inactive", bootstatus: str = "0") -> dict[str, str]:
    here = f"{FOLDER}/watchdog{number}"
    return {
        f"{here}/identity": f"{identity}\n", f"{here}/state": f"{state}\n", f"{here}/bootstatus": f"{bootstatus}\n",
        f"{here}/timeout": "30\n", BOOT_ID_FILE: BOOT_ID,
    }  # fmt: skip


def test_a_watchdog_that_says_nothing(tmp_path: Path) -> None:
    report = report_from(watchdog, tmp_path, files(0, "SBSA Generic Watchdog"))
    assert (report.state, report.seen) == ("read", ())
    assert report.facts == {
        "watchdog_identity": "SBSA Generic Watchdog", "watchdog_state": "inactive", "watchdog_bootstatus": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "known"),
    [(driver.identity, driver.known) for driver in watchdog.DRIVERS] + [("Aspeed BMC", "not known of this driver")],
)
def test_a_reset_by_the_watchdog_belongs_to_no_boot_and_says_what_it_is_worth(
    tmp_path: Path, identity: str, known: str
) -> None:
    (fired,) = report_from(watchdog, tmp_path, files(0, identity, bootstatus="32")).seen
    assert (fired.kind, fired.boot_id, fired.at_s, fired.binds) == ("watchdog_fired", None, None, ())
    assert fired.value == identity
    assert known[:60] in fired.excerpt


@pytest.mark.parametrize(("bootstatus", "fired"), [("0", 0), ("1", 0), ("32", 1), ("33", 1), ("64", 0)])
def test_only_the_bit_of_a_reset_counts(tmp_path: Path, bootstatus: str, fired: int) -> None:
    report = report_from(watchdog, tmp_path, files(0, "i6300ESB timer", bootstatus=bootstatus))
    assert len(report.seen) == fired
    assert report.facts["watchdog_bootstatus"] == int(bootstatus)


def test_the_facts_are_of_the_one_that_is_armed(tmp_path: Path) -> None:
    both = {**files(2, "Software Watchdog"), **files(10, "SBSA Generic Watchdog", "active")}
    assert report_from(watchdog, tmp_path / "armed", both).facts["watchdog_identity"] == "SBSA Generic Watchdog"
    none = {**files(2, "Software Watchdog"), **files(10, "SBSA Generic Watchdog")}
    assert report_from(watchdog, tmp_path / "none", none).facts["watchdog_identity"] == "Software Watchdog"


@pytest.mark.parametrize("bootstatus", ["", "-32", "0x20", "99999999999", "32 apples", "\u0663\u0662"])
def test_a_bootstatus_that_is_no_number(tmp_path: Path, bootstatus: str) -> None:
    report = report_from(watchdog, tmp_path, files(0, "i6300ESB timer", bootstatus=bootstatus))
    assert (report.state, report.seen) == ("partial", ())
    assert "watchdog_bootstatus" not in report.facts


def test_no_watchdog_and_nothing_collected_are_two_things(tmp_path: Path) -> None:
    assert report_from(watchdog, tmp_path / "none", {f"{FOLDER}/": ""}).state == "absent"
    with pytest.raises(FileNotFoundError):
        report_from(watchdog, tmp_path / "unknown", {"/sys/class/rtc/": ""})


def test_a_machine_full_of_watchdogs(tmp_path: Path) -> None:
    many: dict[str, str] = {}
    for number in range(500):
        many |= files(number, "i6300ESB timer", bootstatus="32")
    report = report_from(watchdog, tmp_path, many)
    assert report.state == "partial"
    assert len(report.seen) == watchdog.MOST
