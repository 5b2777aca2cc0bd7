"""Updates of firmware: told, and bound to no boot."""

import json
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.esrt import ENTRIES
from diag.nodekit.problems import MissingTool, Unevaluated
from diag.reset.sources import firmware
from tests.reset.source_tree import report_from

EFI = {"/sys/firmware/efi/": ""}
HISTORY = " ".join(firmware.GET_HISTORY)
GREP = "/usr/bin/grep -r . /sys/firmware/efi/esrt/entries"
NO_HISTORY: dict[str, Any] = {"run": HISTORY, "rc": 2, "stderr": "No history\n"}


def guid(number: int) -> str:
    return f"c3cccaf0-9a3e-4ee2-992e-9f0cf9b5{number:04x}"


def entry(number: int, version: int, status: int) -> dict[str, str]:
    """One entry of the ESRT, as sysfs has it."""
    here = f"{ENTRIES}/entry{number}"
    values = {
        "fw_class": guid(number), "fw_type": "2", "fw_version": "50332936", "lowest_supported_fw_version": "0",
        "capsule_flags": "0x0", "last_attempt_version": str(version), "last_attempt_status": str(status),
    }  # fmt: skip
    return {f"{here}/{name}": f"{value}\n" for name, value in values.items()}


def device(name: str, modified: int, state: int = 2, **more: Any) -> dict[str, Any]:
    """One update, as fwupd has it in its history."""
    return {
        "Name": name, "Version": "0x01", "Modified": modified, "UpdateState": state,
        "Releases": [{"Version": "0x02"}], **more,
    }  # fmt: skip


def history(*devices: dict[str, Any]) -> dict[str, Any]:
    return {"run": HISTORY, "stdout": json.dumps({"Devices": list(devices)})}


def test_attempts_of_the_firmware_failed_ones_first(tmp_path: Path) -> None:
    files = {**entry(0, 50332936, 0), **entry(1, 0, 0), **entry(2, 33554437, 6)}
    report = report_from(firmware, tmp_path, files, commands=[NO_HISTORY])
    assert [(one.kind, one.boot_id, one.value) for one in report.seen] == [
        ("firmware_update", None, "failed, status 6"),
        ("firmware_update", None, "success"),
    ]
    assert guid(2) in report.seen[0].excerpt
    assert "0x02000005" in report.seen[0].excerpt


def test_the_table_is_read_with_elevation_where_it_is_denied(tmp_path: Path) -> None:
    files = entry(0, 50332936, 0)
    lines = "".join(f"{path}:{text}" for path, text in files.items())
    given = {"euid": 1000, "denied": list(files)}
    commands = [NO_HISTORY, {"run": f"sudo -n {GREP}", "stdout": lines}]
    report = report_from(firmware, tmp_path / "a", files, commands=commands, facts=given, elevation="commands")
    assert [one.value for one in report.seen] == ["success"]
    refused = report_from(firmware, tmp_path / "b", files, commands=commands, facts=given)
    assert (refused.state, refused.seen) == ("partial", ())


def test_the_newest_of_the_history(tmp_path: Path) -> None:
    devices = [device(f"part {number}", 1000 + number) for number in range(60)]
    devices[30] = device("Embedded Controller", 5000, state=3, UpdateError="expected 2.45.0 and got 2.8.1")
    report = report_from(firmware, tmp_path, EFI, commands=[history(*devices)])
    assert len(report.seen) == firmware.MOST
    assert report.seen[0].excerpt == "Embedded Controller from 0x01 to 0x02: failed (expected 2.45.0 and got 2.8.1)"
    assert "part 59" in report.seen[1].excerpt
    assert {one.boot_id for one in report.seen} == {None}


@pytest.mark.parametrize(
    "command",
    [
        NO_HISTORY,
        {"run": HISTORY, "stdout": json.dumps({"Error": {"Domain": "FwupdError", "Code": 9, "Message": "No history"}})},
        history(),
    ],
)
def test_no_update_is_on_record(tmp_path: Path, command: dict[str, Any]) -> None:
    assert report_from(firmware, tmp_path, EFI, commands=[command]).state == "absent"


@pytest.mark.parametrize(
    "stdout",
    [
        "", "[]", "{", '{"Devices": 3}', "[" * 100_000, '{"Error": {"Code": 1, "Message": "the daemon is away"}}',
    ],
)  # fmt: skip
def test_a_history_that_is_none_costs_only_itself(tmp_path: Path, stdout: str) -> None:
    files = entry(0, 50332936, 0)
    report = report_from(firmware, tmp_path, files, commands=[{"run": HISTORY, "stdout": stdout}])
    assert (report.state, len(report.seen)) == ("partial", 1)
    assert report.detail


def test_devices_of_any_shape(tmp_path: Path) -> None:
    odd = [
        {"Name": 3, "Modified": True, "UpdateState": "2", "Releases": [7]},
        {"Modified": 1e300},
        None,
        {"Releases": 1},
    ]
    stdout = json.dumps({"Devices": odd})
    report = report_from(firmware, tmp_path, EFI, commands=[{"run": HISTORY, "stdout": stdout}])
    assert [one.value for one in report.seen] == ["state 0", "state 0", "state 0"]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        report_from(firmware, tmp_path / "neither", {})
    failed = {"run": HISTORY, "rc": 1, "stderr": "Failed to connect to daemon\n"}
    with pytest.raises((FileNotFoundError, Unevaluated, MissingTool)):
        report_from(firmware, tmp_path / "failed", {}, commands=[failed])
