"""The check of the root file system in the initramfs: recovered, clean, or not told."""

from pathlib import Path

import pytest

from diag.nodekit.problems import Unevaluated
from diag.reset.sources import file_system
from tests.reset.source_tree import BOOT_ID, BOOT_ID_FILE, report_from

LIVE, RECORDED = "/run/initramfs/fsck.log", "/cmd/initramfs-fsck.log"
ROOT, USR = "/dev/nvme0n1p2", "/dev/nvme0n1p3"
CLEAN = "root: clean, 15301/262144 files, 210577/1048576 blocks\n"
RECOVERED = f"root: recovering journal\n{CLEAN}"
FORCED = "root has been mounted 40 times without being checked, check forced.\nroot: 15301/262144 files\n"
BASE = {BOOT_ID_FILE: BOOT_ID, "/proc/mounts": f"sysfs /sys sysfs rw 0 0\n{ROOT} / ext4 rw,relatime 0 0\n"}


def check(said: str, device: str = ROOT) -> str:
    """A log of one check, as `logsave fsck` leaves it."""
    begun = f"Log of fsck -C -a -V -t ext4 {device} \nMon Nov 23 06:17:45 2026\n\nfsck from util-linux 2.39.3\n"
    return f"{begun}{said}\n----------------\n"


@pytest.mark.parametrize("path", [LIVE, RECORDED])
@pytest.mark.parametrize(("said", "kind"), [(CLEAN, "root_clean"), (RECOVERED, "root_recovered")])
def test_the_root_is_recovered_or_clean(tmp_path: Path, path: str, said: str, kind: str) -> None:
    report = report_from(file_system, tmp_path, {**BASE, path: check(said)})
    (seen,) = report.seen
    assert (report.state, seen.kind, seen.boot_id, seen.locator) == ("read", kind, BOOT_ID, path)
    assert seen.excerpt == said.splitlines()[0]


def test_other_file_systems_say_nothing_of_the_root(tmp_path: Path) -> None:
    log = check(CLEAN) + check(RECOVERED.replace("root", "usr"), USR)
    assert [one.kind for one in report_from(file_system, tmp_path / "both", {**BASE, LIVE: log}).seen] == ["root_clean"]
    with pytest.raises(Unevaluated):
        report_from(file_system, tmp_path / "usr", {**BASE, LIVE: check(RECOVERED, USR)})


def test_a_check_that_was_repeated_is_one(tmp_path: Path) -> None:
    report = report_from(file_system, tmp_path, {**BASE, LIVE: check(RECOVERED) + check(CLEAN)})
    assert [one.kind for one in report.seen] == ["root_recovered"]


def test_where_the_device_of_the_root_is_not_told_the_only_check_is_taken(tmp_path: Path) -> None:
    unnamed = {**BASE, "/proc/mounts": "/dev/root / ext4 rw 0 0\n"}
    assert report_from(file_system, tmp_path / "one", {**unnamed, LIVE: check(CLEAN)}).seen[0].kind == "root_clean"
    with pytest.raises(Unevaluated):
        report_from(file_system, tmp_path / "two", {**unnamed, LIVE: check(CLEAN) + check(RECOVERED, USR)})


def test_a_check_that_says_neither_is_no_evidence(tmp_path: Path) -> None:
    report = report_from(file_system, tmp_path, {**BASE, LIVE: check(FORCED)})
    assert (report.state, report.seen) == ("read", ())
    assert report.detail


def test_words_within_other_words_are_not_taken(tmp_path: Path) -> None:
    said = "root: Inode 12 says: recovering journal of a boat\nroot: clean, as it seems\n"
    assert report_from(file_system, tmp_path, {**BASE, LIVE: check(said)}).seen == ()


def test_no_log_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        report_from(file_system, tmp_path / "none", BASE)
    with pytest.raises(Unevaluated):
        report_from(file_system, tmp_path / "empty", {**BASE, RECORDED: ""})


def test_without_a_boot_id_it_belongs_to_no_boot(tmp_path: Path) -> None:
    files = {"/proc/mounts": BASE["/proc/mounts"], LIVE: check(RECOVERED)}
    assert [one.boot_id for one in report_from(file_system, tmp_path, files).seen] == [None]
