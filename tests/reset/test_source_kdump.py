"""Crash dumps: found, told apart from what else lies there, and bound by the lines of their log."""

from pathlib import Path

import pytest

from diag.reset.binding import bound
from diag.reset.evidence import Boot, fingerprint
from diag.reset.sources import kdump
from tests.reset.source_tree import BOOT_ID, report_from

STAMP = "202611230652"
HERE = f"/var/crash/{STAMP}"
LOG = f"{HERE}/dmesg.{STAMP}"
OTHER_BOOT = "00000000-0000-4000-8000-000000000000"
COMMAND = " ".join(kdump.READ_ALL)
BEFORE = [(92_000_000 + number * 1001, f"usb {number}: new device") for number in range(1, 9)]
PANIC = "Kernel panic - not syncing: sysrq triggered crash"


def lines(messages: list[tuple[int, str]]) -> str:
    """Kernel messages as `makedumpfile --dump-dmesg` writes them."""
    return "".join(f"[{at // 10**6:5d}.{at % 10**6:06d}] {text}\n" for at, text in messages)


def crashed(*, backtrace: int = 5) -> str:
    after = [(93_000_000 + number * 7 + 1, f" frame {number}") for number in range(backtrace)]
    return lines([*BEFORE, (92_900_001, "sysrq: Trigger a crash"), (92_900_455, PANIC), *after])


def boot(boot_id: str, *, later_us: int = 0) -> Boot:
    """A boot whose journal holds the messages before the crash, `later_us` later each."""
    return Boot(boot_id, kernel=tuple(fingerprint(at + later_us, text) for at, text in BEFORE))


def test_a_dump_is_bound_by_its_messages(tmp_path: Path) -> None:
    report = report_from(kdump, tmp_path, {LOG: crashed(), f"{HERE}/dump.{STAMP}": "KDUMP"})
    (dump,) = report.seen
    assert (report.state, dump.kind, dump.boot_id, dump.value) == ("read", "crash_dump", None, "memory saved")
    assert (dump.locator, dump.excerpt) == (LOG, f"memory saved: {PANIC}")
    assert dump.at_s == pytest.approx(93.000029)
    assert bound(dump, [boot(OTHER_BOOT, later_us=2), boot(BOOT_ID)]).boot_id == BOOT_ID
    assert bound(dump, [boot(OTHER_BOOT, later_us=2)]).boot_id is None


def test_a_long_backtrace_does_not_push_out_what_binds(tmp_path: Path) -> None:
    (dump,) = report_from(kdump, tmp_path, {LOG: crashed(backtrace=1500)}).seen
    assert bound(dump, [boot(BOOT_ID)]).boot_id == BOOT_ID


def test_a_log_that_shows_no_crash_binds_nothing(tmp_path: Path) -> None:
    (dump,) = report_from(kdump, tmp_path, {LOG: lines(BEFORE), f"{HERE}/dump.{STAMP}": "KDUMP"}).seen
    assert (dump.binds, dump.at_s) == ((), None)
    assert "shows no crash" in dump.excerpt


def test_an_oops_that_crashed_it(tmp_path: Path) -> None:
    oops = "Internal error: Oops: 0000000096000004 [#1] SMP"
    (dump,) = report_from(kdump, tmp_path, {LOG: lines([*BEFORE, (92_900_455, oops)])}).seen
    assert oops in dump.excerpt
    assert bound(dump, [boot(BOOT_ID)]).boot_id == BOOT_ID


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (f"dump.{STAMP}", "memory saved"),
        (f"vmcore.{STAMP}", "memory saved"),
        ("vmcore", "memory saved"),
        ("dump-incomplete", "memory saved in part"),
        ("vmcore-incomplete", "memory saved in part"),
        ("notes.txt", "memory not saved"),
    ],
)
def test_what_there_is_of_the_memory(tmp_path: Path, name: str, value: str) -> None:
    (dump,) = report_from(kdump, tmp_path, {LOG: crashed(), f"{HERE}/{name}": "x"}).seen
    assert dump.value == value


@pytest.mark.parametrize("folder", ["127.0.0.1-2026-11-23-06:52:01", "spark01-202611230652"])
def test_folders_of_other_systems(tmp_path: Path, folder: str) -> None:
    log = f"/var/crash/{folder}/vmcore-dmesg.txt"
    report = report_from(kdump, tmp_path, {log: crashed(), f"/var/crash/{folder}/vmcore": "x"})
    assert [(one.locator, one.value) for one in report.seen] == [(log, "memory saved")]
    alone = report_from(kdump, tmp_path / "alone", {log: crashed()})
    assert [(one.locator, one.value) for one in alone.seen] == [(log, "memory not saved")]


def test_what_else_lies_there_is_no_dump(tmp_path: Path) -> None:
    files = {
        "/var/crash/kdump_lock": "", "/var/crash/kexec_cmd": "kexec -p", "/var/crash/_usr_bin_python3.1000.crash": "x",
        "/var/crash/202611230652.crash": "x", "/var/crash/202611230653": "a file", "/var/crash/202611230654/notes": "x",
        "/var/crash/dmesg.202611230652": crashed(), f"/var/crash/old/dmesg.{STAMP}": crashed(),
    }  # fmt: skip
    assert report_from(kdump, tmp_path, files).state == "absent"


def test_no_dump_and_nothing_collected_are_two_things(tmp_path: Path) -> None:
    assert report_from(kdump, tmp_path / "none", {"/var/crash/": ""}).state == "absent"
    with pytest.raises(FileNotFoundError):
        report_from(kdump, tmp_path / "unknown", {"/var/log/": ""})


def test_the_newest_of_many(tmp_path: Path) -> None:
    stamps = [f"2026{number:08d}" for number in range(500)]
    files = {f"/var/crash/{stamp}/dmesg.{stamp}": crashed() for stamp in stamps}
    report = report_from(kdump, tmp_path, files)
    assert report.state == "partial"
    assert [one.locator.rpartition(".")[2] for one in report.seen] == stamps[: -kdump.MOST - 1 : -1]


ENDS = f"==> {LOG} <==\n{crashed()}\n==> /var/crash/{STAMP}/dump-incomplete <==\nKDUMP\x00\x01"


@pytest.mark.parametrize(("euid", "elevation", "run"), [(1000, "commands", f"sudo -n {COMMAND}"), (0, "none", COMMAND)])
def test_only_logs_that_belong_to_root_are_taken_from_a_machine(
    tmp_path: Path, euid: int, elevation: str, run: str
) -> None:
    planted = "/var/crash/202611240000/dmesg.202611240000"
    report = report_from(
        kdump, tmp_path, {LOG: "not read", planted: crashed()},
        commands=[{"run": run, "stdout": ENDS}], facts={"euid": euid}, elevation=elevation,
    )  # fmt: skip
    assert [(one.locator, bool(one.binds)) for one in report.seen] == [(planted, False), (LOG, True)]
    assert report.state == "partial"
    assert "root" in str(report.detail)


def test_without_rights_a_dump_is_told_and_not_bound(tmp_path: Path) -> None:
    report = report_from(kdump, tmp_path, {LOG: crashed()}, facts={"euid": 1000})
    assert report.state == "partial"
    assert [(one.kind, one.binds) for one in report.seen] == [("crash_dump", ())]
    assert "could not be read" in report.seen[0].excerpt


def test_a_log_that_is_cut_or_binary(tmp_path: Path) -> None:
    whole = crashed()
    for length in range(0, len(whole), 41):
        (dump,) = report_from(kdump, tmp_path / str(length), {LOG: whole[:length]}).seen
        assert bool(dump.binds) == ("Trigger a crash" in whole[:length])
    (dump,) = report_from(kdump, tmp_path / "binary", {LOG: "\x00\udcff\n" * 1000}).seen
    assert dump.binds == ()
