"""The scorecard on the screen and as a document, and the claims on the whole collection of resets."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sparkctl.app.reset_score import score_folder
from sparkctl.cli.reset_score import score
from sparkctl.errors import ExitCode
from sparkctl.model.reset_score import Group, ResetScore, is_bad
from tests.reset.score_cases import CASES, PANIC, copy_of
from tests.support.corpus import corpus_folder


def test_the_command_prints_the_scorecard_and_ends_with_its_code(tmp_path: Path) -> None:
    copy_of(PANIC, tmp_path, label="clean_reboot", reporter_label="clean_reboot")
    ran = CliRunner().invoke(score, [str(tmp_path), "--format", "json"])
    assert ran.exit_code == ExitCode.FINDINGS
    assert ResetScore.model_validate_json(ran.stdout).exit_code == ExitCode.FINDINGS


def test_the_screen_names_every_wrong_case_and_its_truth(tmp_path: Path) -> None:
    copy_of(PANIC, tmp_path, label="clean_reboot", reporter_label="clean_reboot")
    shown = CliRunner().invoke(score, [str(tmp_path), "--format", "human"]).stdout
    assert "Wrong" in shown
    assert f"{PANIC}  clean_reboot  termination: claims disorderly.panic, true is orderly.reboot" in shown
    assert "precision 0 %" in shown
    assert "exit 1 findings" in shown


def test_the_screen_names_the_silent_ones_on_request_only() -> None:
    brief, whole = (CliRunner().invoke(score, [str(CASES), "--format", "human", *more]).stdout for more in ([], ["-v"]))
    assert "memory-short-then-nothing" not in brief
    assert "memory-short-then-nothing  oom_freeze  termination: claims any" in whole


@pytest.mark.slow
def test_no_claim_on_the_collected_cases_is_wrong_and_no_truth_is_excluded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("reset-cases", "reset-vm"):
        (tmp_path / part).symlink_to(corpus_folder(part, "the claims are not held against the collected resets"))
    card = score_folder(tmp_path)
    with capsys.disabled():
        for figures in card.figures:
            shares = {str(one.axis): one.coverage for one in figures.axes}
            print(f"\n{figures.group}: {figures.cases} cases, precision {figures.precision}, coverage {shares}")
    assert card.failures == []
    assert [case for case in card.cases if is_bad(case)] == []
    # null would mean that nothing was asserted: such a scorecard proves nothing
    assert [(figures.precision, figures.open_coverage) for figures in card.figures] == [(1, 1)] * len(Group)
