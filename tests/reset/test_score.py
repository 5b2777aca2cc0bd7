"""The scorecard: what is true, wrong, silent and lost, in both forms of cases, and never a label that leaks in."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from jsonschema import Draft202012Validator

from sparkctl.app import programs
from sparkctl.app.reset_score import read_cases, score_folder
from sparkctl.contract.generated import json_schema
from sparkctl.errors import ExitCode, UsageError
from sparkctl.model.reset_labels import Label
from sparkctl.model.reset_score import (
    Group,
    ResetScore,
    Result,
    known_part,
)
from sparkctl.model.reset_words import Axis
from sparkctl.probes.program import Program, bundle
from tests.reset.score_cases import CASES, PANIC, TREE, copy_of, result_of

# --- folders of cases ---


@pytest.fixture(scope="module")
def card() -> ResetScore:
    return score_folder(CASES)


def test_our_cases_are_right_or_silent(card: ResetScore) -> None:
    results = {case.case: [one.result.value for one in case.axes] for case in card.cases}
    assert results[f"published/{PANIC}"] == ["right", "silent", "silent"]
    assert results[f"trees/{TREE}"] == ["right", "right", "right"]
    assert results["published/key-that-only-locks"] == ["right"] * 3
    assert (card.exit_code, card.exit_name, card.failures, card.unscored) == (0, "ok", [], [])
    assert {figures.group: figures.cases for figures in card.figures} == {Group.TEXT: 4, Group.TREE: 1}


def test_the_program_is_made_once_for_all_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def slowly(diag: Path, command: str) -> Program:
        made.append(command)
        time.sleep(0.2)  # until the other threads have come to ask
        return bundle(diag, command)

    monkeypatch.setattr(programs, "bundle", slowly)
    programs._made.cache_clear()
    score_folder(CASES)
    assert made == ["reset-reason"]


def test_a_scorecard_is_as_its_published_schema_says(card: ResetScore) -> None:
    Draft202012Validator(json_schema("reset-score")).validate(json.loads(card.model_dump_json()))


@pytest.mark.parametrize(
    ("name", "changes", "wrong"),
    [
        (PANIC, {"label": "clean_reboot", "reporter_label": "clean_reboot"}, {Axis.TERMINATION}),
        (PANIC, {"reset": "no"}, {Axis.TERMINATION}),
        (PANIC, {"evidence_verbatim": "described"}, {Axis.TERMINATION}),
        (TREE, {"axes": None}, set(Axis)),
        (TREE, {"axes": {"termination": ["disorderly.silent"], "reset_domain": ["no_platform_reset.kexec"],
                         "initiator": ["supply.mains"]}}, set(Axis)),
    ],
)  # fmt: skip
def test_a_wrong_label_makes_the_claim_wrong(
    name: str, changes: dict[str, Any], wrong: set[Axis], tmp_path: Path
) -> None:
    copy_of(name, tmp_path, **changes)
    card = score_folder(tmp_path)
    (case,) = card.cases
    assert {one.axis for one in case.axes if one.result is Result.WRONG} == wrong
    assert card.exit_code == ExitCode.FINDINGS


def test_a_label_is_never_an_input(tmp_path: Path) -> None:
    claims = []
    for label in Label:
        copy_of(PANIC, tmp_path / label, label=label.value, reporter_label=label.value)
        (case,) = score_folder(tmp_path / label).cases
        claims.append([one.claim for one in case.axes])
    assert claims == [claims[0]] * len(claims)


def test_a_claim_about_another_boot_than_the_label_names_is_wrong(tmp_path: Path) -> None:
    place = copy_of(TREE, tmp_path)
    label = json.loads((place / "case.json").read_text())
    label["boots"][0]["boot_id"] = "c0ffee00-0000-4000-8000-00000000beef"
    (place / "case.json").write_text(json.dumps(label))
    (case,) = score_folder(tmp_path).cases
    assert {one.result for one in case.axes} == {Result.WRONG}


def older_boot(place: Path, fault: str) -> None:
    """Give a tree a boot before its others, which ended as the first of them did, and its label a word for that."""
    commands = place / "root" / "cmd"
    first = [json.loads(line) for line in (commands / "journal-1.json").read_text().splitlines()]
    older = "c0ffee00000040008000000000000000"
    for entry in first:
        entry |= {"_BOOT_ID": older, "__REALTIME_TIMESTAMP": str(int(entry["__REALTIME_TIMESTAMP"]) - 10**9)}
    (commands / "journal-2.json").write_text("\n".join(map(json.dumps, first)))
    with (commands / "last-x-F.txt").open("a") as entered:
        entered.write("shutdown system down  6.17.0 Thu May 28 20:20:40 2026 - Thu May 28 20:26:42 2026  (00:06)\n")
        entered.write("reboot   system boot  6.17.0 Thu May 28 20:10:02 2026 - Thu May 28 20:20:40 2026  (00:10)\n")
    label = json.loads((place / "case.json").read_text())
    label["boots"].insert(0, {"boot_id": "c0ffee00-0000-4000-8000-000000000000", "ended_by": fault})
    (place / "case.json").write_text(json.dumps(label))


@pytest.mark.parametrize(
    ("fault", "result"), [("reboot_clean", Result.RIGHT), ("power_loss", Result.WRONG), ("soft_reboot", None)]
)
def test_earlier_ends_are_scored_by_what_ended_them(fault: str, result: Result | None, tmp_path: Path) -> None:
    older_boot(copy_of(TREE, tmp_path), fault)
    card = score_folder(tmp_path)
    earlier = [case for case in card.cases if case.group is Group.EARLIER]
    assert [(case.index, result_of(Axis.TERMINATION, case.axes)) for case in earlier] == (
        [(-1, result)] if result else []
    )
    assert card.unscored == []


def test_an_earlier_end_that_no_table_knows_is_named(tmp_path: Path) -> None:
    older_boot(copy_of(TREE, tmp_path), "struck_by_lightning")
    card = score_folder(tmp_path)
    assert [(one.case, one.index, one.label) for one in card.unscored] == [(TREE, -1, "struck_by_lightning")]
    assert card.exit_code == ExitCode.OK


def test_a_case_with_a_fault_tells_what_is_true_after_it_elsewhere(tmp_path: Path) -> None:
    older_boot(copy_of(TREE, tmp_path / "a"), "struck_by_lightning")
    copy_of(TREE, tmp_path / "b", truth="struck_by_lightning")
    card = score_folder(tmp_path)
    assert [case.label for case in card.cases if case.group is Group.EARLIER] == ["struck_by_lightning"]


def test_an_archive_is_scored_as_its_folder_is(card: ResetScore, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "packed"), "tar", CASES / "trees", TREE)
    content = zstandard.ZstdCompressor().compress(Path(packed).read_bytes())
    Path(packed).unlink()
    (tmp_path / f"{TREE}.tar.zst").write_bytes(content)
    (case,) = score_folder(tmp_path).cases
    (folder,) = [case for case in card.cases if case.case.endswith(TREE)]
    assert case == folder.model_copy(update={"case": TREE})


def test_a_case_without_a_usable_document_has_failed_and_the_others_are_scored(tmp_path: Path) -> None:
    copy_of(PANIC, tmp_path)
    (copy_of(TREE, tmp_path) / "root" / ".tree.json").write_text("{")
    card = score_folder(tmp_path)
    assert [case.case for case in card.cases] == [PANIC]
    assert [one.case for one in card.failures] == [TREE]
    assert card.failures[0].message
    assert card.exit_code == ExitCode.FINDINGS


def spoil(path: str, content: bytes) -> Callable[[Path], object]:
    return lambda place: (place / path).write_bytes(content)


NO_LABEL = {
    "label": "gremlins", "confidence": 1.0, "also_acceptable": [], "reporter_label": "watchdog", "reset": "yes",
    "evidence_verbatim": "lines",
}  # fmt: skip


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (spoil("case.json", b"{"), "case.json"),
        (spoil("case.json", b'{"label": "watchdog"}'), "confidence"),
        (spoil("case.json", json.dumps(NO_LABEL).encode()), "label"),
        (spoil("evidence.txt", b"\xff\xfe"), "evidence.txt"),
        (lambda place: (place / "evidence.txt").unlink(), "neither evidence.txt nor root"),
    ],
)
def test_a_case_that_cannot_be_read_is_named_with_its_key(
    spoilt: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    spoilt(copy_of(PANIC, tmp_path))
    with pytest.raises(UsageError) as told:
        score_folder(tmp_path)
    assert PANIC in told.value.message
    assert words in told.value.message
    assert told.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("truth", "result"),
    [("orderly.reboot.warm", Result.RIGHT), ("orderly.by_hand", Result.WRONG), ("somehow.else", Result.WRONG)],
)
def test_a_leaf_that_only_the_label_has_is_held_against_the_nearest_branch(
    truth: str, result: Result, tmp_path: Path
) -> None:
    copy_of(TREE, tmp_path, axes={"termination": [truth], "reset_domain": [], "initiator": []})
    (case,) = score_folder(tmp_path).cases
    assert result_of(Axis.TERMINATION, case.axes) is result


def test_the_nearest_branch_of_a_leaf_that_only_the_label_has() -> None:
    assert known_part(Axis.INITIATOR, "supply.mains.grid") == "supply.mains"
    assert known_part(Axis.INITIATOR, "supply.battery") == "supply"
    assert known_part(Axis.INITIATOR, "aliens") == "any"


@pytest.mark.parametrize("name", ["missing", "file", "empty"])
def test_a_folder_without_cases_is_a_usage_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=name):
        score_folder(tmp_path / name)


@pytest.mark.parametrize("inside", [f"{TREE}/root", f"{TREE}/root/cmd"])
def test_an_archive_without_a_label_is_a_usage_error(inside: str, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "bare"), "tar", CASES / "trees", inside)
    (tmp_path / "bare.tar.zst").write_bytes(zstandard.ZstdCompressor().compress(Path(packed).read_bytes()))
    with pytest.raises(UsageError, match=r"bare\.tar\.zst.*case\.json"):
        score_folder(tmp_path)


def test_a_broken_archive_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "torn.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd torn")
    with pytest.raises(UsageError, match=r"torn\.tar\.zst"):
        score_folder(tmp_path)


def test_cases_lie_in_a_folder_or_in_its_folders() -> None:
    assert [case.name for case in read_cases(CASES / "trees")] == [TREE]
    assert f"published/{PANIC}" in [case.name for case in read_cases(CASES)]
