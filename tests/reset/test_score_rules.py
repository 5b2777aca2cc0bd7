"""What is true, wrong, silent and lost: single claims, labels and words, without a case."""

import pytest

from sparkctl.model.reset import Transition
from sparkctl.model.reset_labels import BY_FAULT, LABELS, Basis, Label, Truth, truth_of
from sparkctl.model.reset_score import (
    CaseScore,
    Group,
    Result,
    figures_of,
    flat_wrong,
    is_bad,
    score_end,
)
from sparkctl.model.reset_tree import leaves_under
from sparkctl.model.reset_words import ANY, Axis
from tests.reset.score_cases import result_of

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
