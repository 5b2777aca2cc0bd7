"""`reset-reason` over a fleet: asked, judged, stored, taken up, and kept apart from runs of other kinds."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.decode import Expected
from sparkctl.executor.answer import read_answer
from sparkctl.executor.question import back_of, why_did_it_go_down
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Elevation, Origin, Stage
from sparkctl.probes.program import bundle
from sparkctl.resources import shipped
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store
from sparkctl.transport.seam import Ended, TransportError
from tests.support.command import json_lines, sparkctl
from tests.support.envelopes import PROGRAM
from tests.support.resets import document, encoded, transition


@pytest.fixture
def fleet(tmp_path: Path) -> list[str | Path]:
    """Two names of this machine, and the options that lead to them."""
    path = tmp_path / "fleet.yaml"
    path.write_text("nodes:\n  here[1-2]: {transport: local}\n")
    return ["--fleet", path, "--state", tmp_path / "state"]


def test_a_run_in_every_format(tmp_path: Path, fleet: list[str | Path]) -> None:
    lines = sparkctl("reset-reason", *fleet, home=tmp_path)
    assert lines.returncode in (0, 3), lines.stderr
    first, second, last = json_lines(lines)
    record, report = RunRecord.model_validate(first, strict=False), ResetReport.model_validate(last, strict=False)
    assert isinstance(record.envelope, ResetEnvelope)
    assert set(record.summary) == {"termination", "reset_domain", "initiator"}
    assert second["node_id"] != first["node_id"]
    assert (report.reported, report.exit_code, report.asked) == (2, lines.returncode, "boot=0")
    human = sparkctl("reset-reason", *fleet, "--format", "human", home=tmp_path)
    assert human.returncode == lines.returncode
    assert "2 nodes: " in human.stdout
    assert "\x1b" not in human.stdout
    alone = sparkctl("reset-reason", "here1", *fleet, "--format", "human", "--timeline", home=tmp_path)
    assert "now  " in alone.stdout
    whole = json.loads(sparkctl("reset-reason", *fleet, "--all", "--format", "json", home=tmp_path).stdout)
    assert whole["report"]["asked"] == "all"


def test_a_run_is_stored_and_does_not_disturb_others(tmp_path: Path, fleet: list[str | Path]) -> None:
    sparkctl("health", *fleet, home=tmp_path)
    before = sparkctl("history", "here1", *fleet[2:], home=tmp_path).stdout
    ran = sparkctl("reset-reason", *fleet, home=tmp_path)
    with Store.open(tmp_path / "state") as store:
        (run,) = store.runs(10, RunKind.RESET)
        assert isinstance(run.report, ResetReport)
        assert (run.asked, run.recorded, run.report.exit_code) == ("boot=0", 2, ran.returncode)
        newest = store.newest("here1", RunKind.RESET)
        assert newest is not None
        assert isinstance(newest.envelope, ResetEnvelope)
        assert [visit.facets for visit in store.history("here1", 5, RunKind.RESET)] == [()]
    assert sparkctl("history", "here1", *fleet[2:], home=tmp_path).stdout == before


def test_a_run_is_taken_up_with_what_it_asked(tmp_path: Path, fleet: list[str | Path]) -> None:
    first = sparkctl("reset-reason", *fleet, "--boot", "-1", home=tmp_path)
    again = sparkctl("reset-reason", *fleet, "--resume", "last", home=tmp_path)
    assert again.returncode == first.returncode
    (report,) = json_lines(again)
    assert (report["asked"], report["reported"], report["resumes"]) == (
        "boot=-1", 2, json_lines(first)[-1]["run_id"],
    )  # fmt: skip
    other = sparkctl("reset-reason", *fleet, "--resume", "last", "--all", home=tmp_path)
    assert (other.returncode, "asked for boot=-1" in other.stderr) == (2, True)
    wrong = sparkctl("health", *fleet, "--resume", report["run_id"], home=tmp_path)
    assert (wrong.returncode, "sparkctl reset-reason --resume" in wrong.stderr) == (2, True)


def test_a_node_named_as_a_sub_command_is_named_after_two_dashes(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes:\n  score: {transport: local}\n")
    ran = sparkctl("reset-reason", "--state", tmp_path / "state", "--", "score", home=tmp_path)
    assert json_lines(ran)[0]["node_id"] == "score"
    assert "sparkctl reset-reason score" in sparkctl("reset-reason", "score", "--help", home=tmp_path).stdout


def test_the_program_is_the_reporter_with_all_its_sources() -> None:
    program = bundle(shipped("diag"), "reset-reason")
    sources = [path.stem for path in (shipped("diag") / "reset" / "sources").glob("*.py") if path.stem != "__init__"]
    assert sources
    for name in sources:
        assert f"diag.reset.sources.{name}".encode() in program.text
    assert b"diag.checks" not in program.text
    assert (program.entry, program.checks, program.facets) == ("reset_reason_reporter", {}, ())


@pytest.mark.parametrize("back", [0, 1, 11, None])
def test_what_was_asked_can_be_asked_again(back: int | None) -> None:
    question = why_did_it_go_down(back)
    assert back_of(question.asked) == back
    assert question.back == back
    assert len(question.arguments) == 1


def test_a_node_that_contradicts_itself_is_a_node_without_an_answer() -> None:
    """What it prints arrives whole and framed, and is refused for what it says."""
    liar: dict[str, Any] = document(transition(termination="orderly.reboot"))
    liar["data"]["transitions"][0]["proof"] = []
    content, nonce = encoded(liar), "ab" * 16
    frame = f"sparkctl-frame/1 {nonce} {len(content)} {hashlib.sha256(content).hexdigest()}\n".encode()
    expected = Expected(262144, PROGRAM, Elevation.NONE, Origin.LIVE)
    with pytest.raises(TransportError, match="no proof") as caught:
        read_answer(Ended(0, None, frame + content + b"\n", b""), nonce, expected, why_did_it_go_down(0).decode)
    assert (caught.value.stage, caught.value.cause) == (Stage.DECODE, Cause.INCOMPLETE)
