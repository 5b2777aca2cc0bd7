"""The TPM's counters are facts, never evidence."""

from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.problems import MissingTool, NotApplicable, Unevaluated
from diag.reset.sources import tpm
from tests.reset.source_tree import report_from

DEVICE = {"/sys/class/tpm/tpm0/tpm_version_major": "2\n"}
PRINTED = "time: 13673142\nclock_info:\n  clock: 913673142\n  reset_count: 41\n  restart_count: 2\n  safe: no\n"


def report(root: Path, stdout: str, files: dict[str, str] = DEVICE, **more: Any) -> Any:
    return report_from(tpm, root, files, commands=[{"run": " ".join(tpm.READ_CLOCK), "stdout": stdout, **more}])


def test_all_that_it_counts(tmp_path: Path) -> None:
    found = report(tmp_path, PRINTED)
    assert (found.state, found.detail, found.seen, found.boots) == ("read", None, (), ())
    assert found.facts == {
        "tpm_reset_count": 41, "tpm_restart_count": 2, "tpm_clock_ms": 913673142, "tpm_clock_safe": False,
    }  # fmt: skip


def test_it_is_asked_with_elevation_only(tmp_path: Path) -> None:
    commands = [{"run": f"sudo -n {tpm.READ_CLOCK[0]}", "stdout": PRINTED}]
    facts = {"euid": 1000}
    found = report_from(tpm, tmp_path / "a", DEVICE, commands=commands, facts=facts, elevation="commands")
    assert found.facts["tpm_reset_count"] == 41
    with pytest.raises(PermissionError):
        report_from(tpm, tmp_path / "b", DEVICE, commands=commands, facts=facts)


@pytest.mark.parametrize("lost", ["-1", str(2**32), "41.5", "many", "", "9" * 5000])
def test_a_counter_that_cannot_be_is_left_out(tmp_path: Path, lost: str) -> None:
    found = report(tmp_path, PRINTED.replace("41", lost))
    assert (found.state, found.detail) == ("partial", "the TPM tells no tpm_reset_count")
    assert "tpm_reset_count" not in found.facts


@pytest.mark.parametrize("text", ["", "clock_info:\n", "safe: maybe\n"])
def test_an_answer_without_counters(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unevaluated, match="no counters"):
        report(tmp_path, text)


def test_a_tpm_that_does_not_answer_is_named_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(Unevaluated, match="ended with 1: ERROR: Esys_ReadClock"):
        report(tmp_path, "", rc=1, stderr="ERROR: Esys_ReadClock(0x921)\n")


def test_no_tpm_no_tool_and_nothing_collected_are_three_things(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable):
        report_from(tpm, tmp_path / "none", {"/sys/class/rtc/": ""}, facts={"simulated": True})
    with pytest.raises(MissingTool):
        report_from(tpm, tmp_path / "tool", DEVICE)
    with pytest.raises(FileNotFoundError):
        report_from(tpm, tmp_path / "nothing", {})
