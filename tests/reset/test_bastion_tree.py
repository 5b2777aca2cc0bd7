"""`reset-reason --root`: the node's program on a saved tree, in a child process, judged as an answer of a node is."""

import json
import os
from pathlib import Path

import pytest

from sparkctl.app import reset_reason
from sparkctl.app.reset_reason import UnjudgedTree, answer_of_tree, exit_code_of
from sparkctl.errors import ExitCode, SparkctlError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.vocabulary import Origin
from sparkctl.probes.program import Program
from tests.reset.trees import build_machine
from tests.support.command import sparkctl


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of a machine that was restarted in good order, and before that panicked."""
    return build_machine(tmp_path_factory.mktemp("machine") / "root", ["panic", "reboot"])


def test_the_newest_end_is_told(machine: Path) -> None:
    answer = answer_of_tree(machine)
    assert answer.meta.origin is Origin.TREE
    assert answer.data is not None
    (end,) = answer.data.transitions
    assert (end.index, end.claims.termination) == (0, "orderly.reboot")
    assert exit_code_of(answer) is ExitCode.OK


def test_all_ends_or_an_earlier_one(machine: Path) -> None:
    every, before = answer_of_tree(machine, every=True).data, answer_of_tree(machine, back=1).data
    assert every is not None
    assert before is not None
    assert [end.claims.termination for end in every.transitions] == ["orderly.reboot", "disorderly.panic"]
    assert [(end.index, end.claims.termination) for end in before.transitions] == [(-1, "disorderly.panic")]


def test_an_empty_tree_is_a_verdict_of_unknown(tmp_path: Path) -> None:
    answer = answer_of_tree(tmp_path)
    assert exit_code_of(answer) is ExitCode.UNJUDGED
    assert answer.data is not None
    assert answer.data.transitions[0].unknown_reasons


def test_a_simulated_machine_says_that_it_is_one(tmp_path: Path) -> None:
    (tmp_path / ".tree.json").write_text('{"simulated": true}')
    assert answer_of_tree(tmp_path).meta.origin is Origin.SIMULATED


def test_the_program_comes_with_its_digest_and_leaves_nothing_behind(machine: Path) -> None:
    before = sorted(machine.rglob("*"))
    assert answer_of_tree(machine).meta.program_sha256 is not None
    assert sorted(machine.rglob("*")) == before


def test_a_folder_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nowhere", tmp_path / "file", Path("nul\0byte")):
        with pytest.raises(UsageError):
            answer_of_tree(place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder: run the tests as somebody else to see this")
def test_a_folder_without_rights_is_a_usage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(UsageError, match="Permission denied"):
            answer_of_tree(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_tree_that_the_program_refuses_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / ".tree.json").write_text("[")
    with pytest.raises(UsageError, match=r"unreadable \.tree\.json"):
        answer_of_tree(tmp_path)


def pretend(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(reset_reason, "program_of", lambda command: Program("reset_reason_reporter", text.encode()))


def test_a_program_that_does_not_come_to_its_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(reset_reason, "Limits", lambda: Limits(program_s=0.5, exit_grace_s=0.5))
    with pytest.raises(UnjudgedTree, match="was not judged") as caught:
        answer_of_tree(tmp_path)
    assert caught.value.exit_code is ExitCode.UNJUDGED


def test_an_answer_that_is_not_ours_is_our_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "print('{}')")
    with pytest.raises(SparkctlError, match="is not one of ours") as caught:
        answer_of_tree(tmp_path)
    assert caught.value.exit_code is ExitCode.INTERNAL


# --- the command ---


def test_the_command_prints_the_envelope(machine: Path, tmp_path: Path) -> None:
    for form in ("json", "jsonl"):
        ran = sparkctl("reset-reason", "--root", machine, "--format", form, home=tmp_path)
        assert (ran.returncode, ran.stderr) == (0, "")
        envelope = ResetEnvelope.model_validate_json(ran.stdout)
        assert envelope.data is not None
        assert envelope.data.transitions[0].claims.termination == "orderly.reboot"
    assert json.loads(sparkctl("reset-reason", "--root", machine, "--boot", "-1", home=tmp_path).stdout)["data"][
        "transitions"
    ][0]["index"] == -1  # fmt: skip


def test_the_command_shows_people_the_proof(machine: Path, tmp_path: Path) -> None:
    ran = sparkctl("reset-reason", "--root", machine, "--timeline", "--format", "human", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    for words in ("Restarted in good order", "a saved tree", "Proof", "The kernel panicked", "now  ", "exit 0 ok"):
        assert words in ran.stdout
    assert "\x1b" not in ran.stdout


def test_the_command_on_an_empty_tree(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = sparkctl("reset-reason", "--root", tmp_path / "empty", "--format", "human", home=tmp_path)
    assert ran.returncode == 3
    assert "How it ended cannot be told" in ran.stdout
    assert "is another folder meant?" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root", ""], "an empty name is no folder"),
        (["--root", "/nowhere"], "/nowhere cannot be read: No such file or directory"),
        (["--bundle", "/nowhere.tar"], "/nowhere.tar"),
        (["--root", "/nowhere", "--bundle", "/nowhere.tar"], "give one of them"),
        (["spark01", "--root", "/tmp"], "neither SELECTOR"),
        (["--root", "/tmp", "--all", "--boot", "-1"], "give one of them"),
        (["--root", "/tmp", "--boot", "1"], "--boot"),
        (["--root", "/tmp", "--boot", "-12"], "--boot"),
    ],
)
def test_mistakes(arguments: list[str], words: str, tmp_path: Path) -> None:
    ran = sparkctl("reset-reason", *arguments, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
