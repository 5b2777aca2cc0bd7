"""The running boot: its facts, and whether its kernel is one that was started by a crash."""

from pathlib import Path

import pytest

from diag.reset.evidence import Report
from diag.reset.sources import boot
from tests.reset.source_tree import BOOT_ID, BOOT_ID_FILE, report_from

FILES = {
    BOOT_ID_FILE: f"{BOOT_ID}\n",
    "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro quiet\n",
    "/proc/uptime": "45.05 11.32\n",
    "/proc/sys/kernel/panic": "-1\n",
    "/proc/sys/kernel/tainted": "0\n",
    "/sys/kernel/kexec_crash_loaded": "1\n",
}


def kinds(report: Report) -> dict[str, str | None]:
    assert all(one.boot_id == BOOT_ID for one in report.seen)
    return {one.kind: one.value for one in report.seen}


def test_an_ordinary_boot(tmp_path: Path) -> None:
    report = report_from(boot, tmp_path, FILES)
    assert (report.state, report.detail) == ("read", None)
    assert report.facts == {
        "boot_id": BOOT_ID, "uptime_s": 45.05, "panic_timeout_s": -1, "crash_kernel_loaded": True,
    }  # fmt: skip
    assert kinds(report) == {"command_line": "ordinary"}


@pytest.mark.parametrize(
    "changed",
    [
        {"/proc/cmdline": "root=/dev/sda ro elfcorehdr=0x2d000000 reset_devices\n"},
        {"/proc/cmdline": "root=/dev/sda reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=1\n"},
        {"/proc/vmcore": ""},
    ],
    ids=["x86", "kdump-tools", "arm64"],
)
def test_a_crash_kernel(tmp_path: Path, changed: dict[str, str]) -> None:
    assert kinds(report_from(boot, tmp_path, {**FILES, **changed})) == {
        "command_line": "crash_kernel",
        "crash_kernel": "crash_kernel",
    }


def test_a_kernel_that_may_be_a_crash_kernel_is_called_neither(tmp_path: Path) -> None:
    assert kinds(report_from(boot, tmp_path, {**FILES, "/proc/cmdline": "root=/dev/sda ro reset_devices\n"})) == {}


def test_what_only_looks_like_the_mark_is_none(tmp_path: Path) -> None:
    report = report_from(boot, tmp_path, {**FILES, "/proc/cmdline": "note=elfcorehdr=0x1 ro\n"})
    assert kinds(report) == {"command_line": "ordinary"}


def test_the_command_line_itself_is_not_passed_on(tmp_path: Path) -> None:
    report = report_from(boot, tmp_path, {**FILES, "/proc/cmdline": "ro ds=nocloud;s=http://me:hunter2@seed/\n"})
    assert "hunter2" not in str(report)


@pytest.mark.parametrize(("taint", "told"), [("4096", "no fault"), ("4736", "oops"), ("16384", "soft lockup")])
def test_taint(tmp_path: Path, taint: str, told: str) -> None:
    report = report_from(boot, tmp_path, {**FILES, "/proc/sys/kernel/tainted": taint})
    (tainted,) = (one for one in report.seen if one.kind == "tainted")
    assert (tainted.value, tainted.boot_id) == (taint, BOOT_ID)
    assert told in tainted.excerpt


@pytest.mark.parametrize(
    ("path", "text", "fact"),
    [
        (BOOT_ID_FILE, "f826fa26-5e51", "boot_id"),
        ("/proc/uptime", "nan 1", "uptime_s"),
        ("/proc/uptime", "-3 1", "uptime_s"),
        ("/proc/uptime", "1e300 1", "uptime_s"),
        ("/proc/sys/kernel/panic", "2147483648", "panic_timeout_s"),
        ("/proc/sys/kernel/panic", "soon", "panic_timeout_s"),
        ("/sys/kernel/kexec_crash_loaded", "", "crash_kernel_loaded"),
        ("/sys/kernel/kexec_crash_loaded", "2", "crash_kernel_loaded"),
    ],
)
def test_what_cannot_be_is_no_fact_and_costs_only_itself(tmp_path: Path, path: str, text: str, fact: str) -> None:
    whole = report_from(boot, tmp_path / "whole", FILES)
    report = report_from(boot, tmp_path / "part", {**FILES, path: text})
    assert report.state == "partial"
    assert report.detail
    assert report.facts == {key: value for key, value in whole.facts.items() if key != fact}


def test_what_was_not_collected_makes_it_partial(tmp_path: Path) -> None:
    report = report_from(boot, tmp_path, {"/proc/uptime": "7.0 1.0\n"})
    assert (report.state, report.facts, report.seen) == ("partial", {"uptime_s": 7.0}, ())


def test_nothing_collected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        report_from(boot, tmp_path, {})
