"""Changes of packages: the last ones, in the node's own time, bound to no boot."""

from pathlib import Path

import pytest

from diag.reset.sources import packages
from tests.reset.source_tree import report_from

UNATTENDED = f"{packages.UNATTENDED}/unattended-upgrades.log"
REBOOT = "2026-11-23 06:52:01,123 WARNING Found /var/run/reboot-required, rebooting\n"
STAYS = "2026-11-23 06:52:01,123 WARNING Found /var/run/reboot-required, but not rebooting because ann is logged in.\n"


def run(day: int, *, ended: bool = True, command: str = "apt-get install -y linux-nvidia", more: str = "") -> str:
    """One entry of apt's history."""
    end = f"End-Date: 2026-11-{day:02d}  06:50:36\n" if ended else ""
    return (
        f"\nStart-Date: 2026-11-{day:02d}  06:50:07\nCommandline: {command}\n{more}"
        f"Upgrade: libc6:arm64 (2.39-0ubuntu8.5, 2.39-0ubuntu8.6)\n{end}"
    )


def test_the_last_runs_newest_first(tmp_path: Path) -> None:
    log = "".join(run(day) for day in range(1, 11))
    report = report_from(packages, tmp_path, {packages.HISTORY: log, UNATTENDED: ""})
    assert report.state == "read"
    assert [one.value for one in report.seen] == [
        f"2026-11-{day:02d}  06:50:36".replace("  ", " ") for day in (10, 9, 8, 7)
    ]
    assert {(one.kind, one.boot_id, one.at_s) for one in report.seen} == {("package_change", None, None)}
    assert report.seen[0].excerpt.startswith("apt-get install -y linux-nvidia; begun 2026-11-10 06:50:07, ended")


def test_a_run_that_was_cut_off_has_no_end(tmp_path: Path) -> None:
    log = run(1) + run(2, ended=False) + run(3, more="Requested-By: ann (1000)\nError: Sub-process dpkg returned 1\n")
    third, second, _ = report_from(packages, tmp_path, {packages.HISTORY: log, UNATTENDED: ""}).seen
    assert second.value == "not ended, begun 2026-11-02 06:50:07"
    assert "for ann (1000)" in third.excerpt
    assert "error: Sub-process dpkg returned 1" in third.excerpt


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_a_log_that_was_cut_anywhere(tmp_path: Path, length: int) -> None:
    log = (run(1) + run(2))[:length]
    report = report_from(packages, tmp_path, {packages.HISTORY: log, UNATTENDED: ""})
    assert len(report.seen) == log.count("Start-Date:")
    assert sum("not ended" not in str(one.value) for one in report.seen) == log.count("End-Date: ")


def test_unattended_upgrades_that_restart_the_machine(tmp_path: Path) -> None:
    others = "2026-11-23 06:51:00,000 INFO All upgrades installed\n"
    report = report_from(packages, tmp_path, {packages.HISTORY: "", UNATTENDED: STAYS + others + REBOOT})
    (reboot,) = report.seen
    assert (reboot.locator, reboot.value, reboot.boot_id) == (UNATTENDED, "2026-11-23 06:52:01", None)
    assert "rebooting" in reboot.excerpt


def test_what_dpkg_printed_is_not_taken_for_the_log(tmp_path: Path) -> None:
    dpkg = f"{packages.UNATTENDED}/unattended-upgrades-dpkg.log"
    assert report_from(packages, tmp_path, {packages.HISTORY: "", UNATTENDED: STAYS, dpkg: REBOOT}).seen == ()


def test_the_password_of_a_proxy_is_not_passed_on(tmp_path: Path) -> None:
    command = "apt-get -o Acquire::http::Proxy=http://ann:hun/ter2@proxy:3128 install x"
    (seen,) = report_from(packages, tmp_path, {packages.HISTORY: run(1, command=command)}).seen
    assert "hun/ter2" not in str(seen)
    assert "proxy:3128 install x" in seen.excerpt


def test_nothing_logged_and_nothing_collected_are_two_things(tmp_path: Path) -> None:
    assert report_from(packages, tmp_path / "none", {packages.HISTORY: "", UNATTENDED: ""}).state == "absent"
    assert report_from(packages, tmp_path / "half", {packages.HISTORY: ""}).state == "partial"
    with pytest.raises(FileNotFoundError):
        report_from(packages, tmp_path / "unknown", {})


def test_a_log_that_is_too_long_is_not_taken_for_its_beginning(tmp_path: Path) -> None:
    huge = run(1) + "#" * packages.MAX_BYTES
    report = report_from(packages, tmp_path, {packages.HISTORY: huge, UNATTENDED: REBOOT})
    assert report.state == "partial"
    assert [one.locator for one in report.seen] == [UNATTENDED]


def test_many_logs(tmp_path: Path) -> None:
    logs = {f"{packages.UNATTENDED}/{number}.log": REBOOT for number in range(500)}
    assert len(report_from(packages, tmp_path, {packages.HISTORY: run(1), **logs}).seen) == 1 + packages.MOST_REBOOTS
