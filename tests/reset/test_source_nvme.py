"""The drive's counters are facts, never evidence."""

import json
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.nvme import SMART_LOG
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.reset.sources import nvme
from tests.reset.source_tree import report_from

RECORDED = "/cmd/nvme-smart-log.json"
LIVE = {"/sys/class/nvme/nvme0/state": "live\n"}
COMMAND = " ".join(SMART_LOG)


def log(**values: Any) -> str:
    """What `nvme smart-log -o json` prints."""
    return json.dumps({"critical_warning": 0, "temperature": 323, **values})


def test_counters_that_were_recorded(tmp_path: Path) -> None:
    report = report_from(nvme, tmp_path, {RECORDED: log(unsafe_shutdowns="1,204", power_cycles=7)})
    assert (report.state, report.seen) == ("read", ())
    assert report.facts == {"unsafe_shutdowns": 1204, "power_cycles": 7}


def test_counters_that_are_asked_for_with_elevation(tmp_path: Path) -> None:
    commands = [{"run": f"sudo -n {COMMAND}", "stdout": log(unsafe_shutdowns=3, power_cycles=4)}]
    facts = {"euid": 1000}
    report = report_from(nvme, tmp_path / "a", LIVE, commands=commands, facts=facts, elevation="commands")
    assert report.facts == {"unsafe_shutdowns": 3, "power_cycles": 4}
    with pytest.raises(PermissionError):
        report_from(nvme, tmp_path / "b", LIVE, commands=commands, facts=facts)


@pytest.mark.parametrize("lost", ["1.5", "-1", 2**60, None])
def test_a_counter_that_cannot_be_is_left_out(tmp_path: Path, lost: Any) -> None:
    report = report_from(nvme, tmp_path, {RECORDED: log(unsafe_shutdowns=lost, power_cycles=7)})
    assert (report.state, report.facts) == ("partial", {"power_cycles": 7})
    assert "unsafe_shutdowns" in str(report.detail)


@pytest.mark.parametrize("text", ["", log()])
def test_a_log_without_counters(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unevaluated):
        report_from(nvme, tmp_path, {RECORDED: text})


def test_no_drive_and_nothing_collected_are_two_things(tmp_path: Path) -> None:
    bus = "/sys/bus/pci/devices/0000:00:00.0"
    other = {"/sys/class/rtc/": "", f"{bus}/vendor": "0x8086\n", f"{bus}/device": "0x29c0\n"}
    with pytest.raises(NotApplicable):
        report_from(nvme, tmp_path / "other", other)
    with pytest.raises(Unevaluated):
        report_from(nvme, tmp_path / "nothing", {})
