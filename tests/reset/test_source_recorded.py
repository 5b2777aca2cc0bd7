"""The small sources on recorded resets of virtual machines."""

import json
import subprocess
from pathlib import Path

import pytest

from diag.reset.sources import boot, file_system, kdump, nvme, watchdog
from tests.reset.source_tree import report_of
from tests.support.corpus import corpus_folder

PARTS = ("proc", "sys/class/watchdog", "sys/kernel", "var/crash", "cmd/initramfs-fsck.log", "cmd/nvme-smart-log.json")


@pytest.fixture(scope="module")
def corpus() -> Path:
    return corpus_folder("reset-vm", "the small sources are not held against recorded resets")


def unpacked(corpus: Path, case: str, into: Path) -> tuple[Path, str]:
    """The parts of a case that the small sources read, and the id of its running boot by its label."""
    parts = [f"{case}/root/{part}" for part in PARTS]
    archive = corpus / f"{case}.tar.zst"
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", into, f"{case}/case.json", *parts], check=True, timeout=60)
    label = json.loads((into / case / "case.json").read_text())
    return into / case / "root", label["boots"][-1]["boot_id"]


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("amd64-a1-01-reboot_clean", "root_clean"),
        ("amd64-a1-02-power_loss", "root_recovered"),
        ("amd64-fw1-01-panic", "root_recovered"),
    ],
)
def test_a_recorded_reset(tmp_path: Path, corpus: Path, case: str, kind: str) -> None:
    root, boot_id = unpacked(corpus, case, tmp_path)
    assert [(one.kind, one.boot_id) for one in report_of(file_system, root).seen] == [(kind, boot_id)]
    running = report_of(boot, root)
    assert [(one.kind, one.value, one.boot_id) for one in running.seen] == [("command_line", "ordinary", boot_id)]
    assert {key: running.facts[key] for key in ("boot_id", "panic_timeout_s", "crash_kernel_loaded")} == {
        "boot_id": boot_id, "panic_timeout_s": 5, "crash_kernel_loaded": False,
    }  # fmt: skip
    assert report_of(watchdog, root).facts["watchdog_identity"] == "i6300ESB timer"
    assert report_of(nvme, root).facts == {"unsafe_shutdowns": 0, "power_cycles": 0}
    assert report_of(kdump, root).state == "absent"
