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
from sparkctl.model.reset import Transition
from sparkctl.model.reset_labels import BY_FAULT, LABELS, Basis, Label, Truth, truth_of
from sparkctl.model.reset_score import (
    AxisScore,
    CaseScore,
    Group,
    ResetScore,
    Result,
    figures_of,
    flat_wrong,
    is_bad,
    known_part,
    score_end,
)
from sparkctl.model.reset_tree import leaves_under
from sparkctl.model.reset_words import ANY, Axis
from sparkctl.probes.program import Program, bundle
from tests.reset.score_cases import CASES, PANIC, TREE, copy_of

NOTHING = {"termination": ANY, "reset_domain": ANY, "initiator": ANY}


def transition(**claims: str) -> Transition:
    """An end with these claims; all leaves under them are open."""
    claimed = NOTHING | claims
    return Transition.model_validate(
        {
            "index": 0, "from_boot_id": None, "to_boot_id": None, "claims": claimed,
            "open": {axis: list(leaves_under(Axis(axis), claim)) for axis, claim in claimed.items()},
            "strength": dict.fromkeys(NOTHING, "S0"),
            "flat": {"words": "x", "expected": "unknown", "data_at_risk": "unknown", "vendor_reason": "UNKNOWN",
                     "redfish_last_reset_cause": "Unknown"},
            "antecedents": [], "unknown_reasons": [], "conflicts": [], "proof": [],
            "window": {"last_sign_s": None, "gap_s": None}, "would_decide": [], "arm_now": [],
        },
        strict=False,
    )  # fmt: skip


def truths(**paths: str) -> dict[Axis, Truth]:
    return {axis: Truth((paths[axis],) if axis in paths else (), Basis.LABEL) for axis in Axis}


def result_of(axis: Axis, scores: list[AxisScore]) -> Result:
    return next(one.result for one in scores if one.axis is axis)


# --- what a result is ---


@pytest.mark.parametrize(
    ("claim", "truth", "result"),
    [
        ("disorderly.silent", "disorderly.silent", Result.RIGHT),
        ("disorderly", "disorderly.silent", Result.RIGHT),
        ("orderly", "disorderly.silent", Result.WRONG),
        ("disorderly.silent", "disorderly", Result.WRONG),  # more than is known to be true
        ("disorderly.hang", "disorderly.silent", Result.WRONG),
        (ANY, "disorderly.silent", Result.SILENT),
    ],
)
def test_a_claim_is_true_when_it_is_a_true_path_or_a_branch_above_one(claim: str, truth: str, result: Result) -> None:
    scores = score_end(transition(termination=claim), truths(termination=truth), control=False)
    assert result_of(Axis.TERMINATION, scores) is result


@pytest.mark.parametrize(
    ("leaves", "result"),
    [
        (["orderly.reboot"], Result.LOST),
        (["orderly.reboot", "disorderly.silent"], Result.SILENT),
    ],
)
def test_a_truth_that_is_not_left_open_is_lost(leaves: list[str], result: Result) -> None:
    end = transition()
    end = end.model_copy(update={"open": end.open.model_copy(update={"termination": leaves})})
    scores = score_end(end, truths(termination="disorderly.silent"), control=False)
    assert result_of(Axis.TERMINATION, scores) is result


def test_where_no_claim_is_expected_each_claim_is_wrong_and_none_is_right() -> None:
    said = score_end(transition(initiator="os"), truths(), control=True)
    assert [one.result for one in said] == [Result.RIGHT, Result.RIGHT, Result.WRONG]
    assert {one.result for one in score_end(transition(), truths(), control=True)} == {Result.RIGHT}


def test_a_true_claim_about_another_boot_is_wrong() -> None:
    scores = score_end(
        transition(termination="orderly"), truths(termination="orderly.halt"), control=False, astray=True
    )
    assert result_of(Axis.TERMINATION, scores) is Result.WRONG
    assert result_of(Axis.INITIATOR, scores) is Result.SILENT


def case_of(claim: str, truth: str | None, *, control: bool = False) -> CaseScore:
    known = {Axis.TERMINATION: Truth((truth,), Basis.LABEL) if truth else Truth((), Basis.NONE)}
    truths = {axis: known.get(axis, Truth((), Basis.NONE)) for axis in Axis}
    axes = score_end(transition(termination=claim), truths, control=control)
    return CaseScore(case="x", group=Group.TEXT, index=0, label="x", control=control, axes=axes, flat_wrong=[])


def test_figures_count_what_could_be_checked() -> None:
    cases = [
        case_of("orderly", "orderly.halt"),
        case_of("orderly.reboot", "orderly.halt"),
        case_of(ANY, "orderly.halt"),
        case_of("orderly", None),
        case_of("orderly", None, control=True),
        case_of(ANY, None, control=True),
    ]
    figures = figures_of(Group.TEXT, cases)
    one = figures.axes[0]
    assert (one.known, one.right, one.wrong, one.silent, one.unchecked) == (3, 1, 2, 1, 1)
    assert one.precision == pytest.approx(1 / 3)  # a control that claims counts against it
    assert one.coverage == pytest.approx(1 / 3)
    assert one.in_open == 2
    assert figures.open_coverage == pytest.approx(2 / 3)
    assert (figures.cases, figures.controls, figures.controls_right) == (6, 2, 1)
    assert figures.axes[1].precision is None
    assert [is_bad(case) for case in cases] == [False, True, False, False, True, False]


# --- labels ---


@pytest.mark.parametrize("row", [*LABELS.values(), *BY_FAULT.values()])
def test_each_row_holds_leaves_of_its_axes(row: dict[Axis, tuple[str, ...] | None]) -> None:
    assert set(row) == set(Axis)
    for axis, paths in row.items():
        assert all(leaves_under(axis, path) == (path,) for path in paths or ())


def test_each_label_has_a_row() -> None:
    assert set(LABELS) == set(Label)


def test_a_firm_label_stands_alone_and_a_loose_one_has_company() -> None:
    firm = truth_of(Label.POWER_LOSS, 0.7, [Label.CLEAN_POWEROFF], Label.CLEAN_REBOOT)[Axis.TERMINATION]
    loose = truth_of(Label.POWER_LOSS, 0.69, [Label.CLEAN_POWEROFF], Label.CLEAN_REBOOT)[Axis.TERMINATION]
    assert firm == Truth(("disorderly.silent",), Basis.LABEL)
    assert set(loose.paths) == {"disorderly.silent", "orderly.poweroff", "orderly.reboot", "orderly.kexec"}


def test_where_the_label_says_nothing_the_reporter_is_asked() -> None:
    told = truth_of(Label.UNKNOWN, 0.95, [], Label.CLEAN_POWEROFF)
    assert told[Axis.TERMINATION] == Truth(("orderly.poweroff",), Basis.REPORTER)
    assert truth_of(Label.GPU_FAILURE, 0.9, [], Label.WATCHDOG)[Axis.INITIATOR].paths == ("hardware.watchdog",)
    assert truth_of(Label.UNKNOWN, 0.9, [], Label.UNKNOWN)[Axis.INITIATOR] == Truth((), Basis.NONE)


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


# --- few words ---


def said(**words: str) -> Transition:
    end = transition()
    return end.model_copy(update={"flat": end.flat.model_copy(update=words)})


@pytest.mark.parametrize(
    ("words", "truth", "wrong"),
    [
        # A crash that somebody asked for with sysrq: the label allows both.
        ({"expected": "no"}, {"initiator": ("os.kernel_policy.panic", "os.operator")}, ["expected"]),
        ({"expected": "yes"}, {"initiator": ("os.kernel_policy.panic", "os.operator")}, ["expected"]),
        ({"expected": "no"}, {"initiator": ("hardware.watchdog",)}, []),
        ({"expected": "unknown"}, {"initiator": ("os.operator",)}, []),
        ({"data_at_risk": "no"}, {"termination": ("disorderly.silent", "orderly.reboot")}, ["data_at_risk"]),
        ({"data_at_risk": "yes"}, {"termination": ("disorderly.silent", "orderly.reboot")}, []),
        ({"data_at_risk": "yes"}, {"termination": ("orderly.reboot",)}, ["data_at_risk"]),
        ({"data_at_risk": "no", "expected": "yes"}, {}, []),
    ],
)
def test_a_flat_word_is_wrong_where_its_label_speaks_against_it(
    words: dict[str, str], truth: dict[str, tuple[str, ...]], wrong: list[str]
) -> None:
    known = {axis: Truth(truth.get(axis, ()), Basis.LABEL) for axis in Axis}
    assert [one.field for one in flat_wrong(said(**words), known, control=False)] == wrong


def test_of_a_control_every_flat_word_is_wrong_and_no_answer_says_none() -> None:
    found = flat_wrong(said(expected="yes", data_at_risk="no"), truths(), control=True)
    assert [(one.field, one.said) for one in found] == [("expected", "yes"), ("data_at_risk", "no")]
    assert flat_wrong(None, truths(), control=True) == []


def test_a_case_with_a_flat_word_that_is_wrong_is_bad() -> None:
    case = case_of("orderly.reboot", "orderly.reboot")
    wrong = flat_wrong(said(data_at_risk="yes"), truths(termination="orderly.reboot"), control=False)
    assert not is_bad(case)
    assert is_bad(case.model_copy(update={"flat_wrong": wrong}))
