"""The scorecard of reset claims: labelled cases, what was claimed of each, and whether that is true."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.envelope import Count
from sparkctl.model.reset import AxisPath, Transition
from sparkctl.model.reset_labels import Basis, Truth
from sparkctl.model.reset_tables import EXPECTED
from sparkctl.model.reset_tree import claim_of, is_under, leaves_under, open_of
from sparkctl.model.reset_words import ANY, Axis

OPPOSITES = {"yes": "no", "no": "yes"}
Share = Annotated[float, Field(ge=0, le=1)]


class Result(StrEnum):
    """What became of one axis: asserted and true, asserted and not, nothing asserted, or the truth excluded."""

    RIGHT = "right"
    WRONG = "wrong"
    SILENT = "silent"
    LOST = "lost"


class Group(StrEnum):
    """The cases that one set of figures is about; `earlier` are the ends before the newest, of trees that tell them."""

    TEXT = "text"
    TREE = "tree"
    EARLIER = "earlier"


class AxisScore(Record):
    """One axis of one case: what was claimed, what is true (nothing where that is not known), and the result.

    `right` with the basis `none` is an assertion that nothing speaks against and nothing confirms.
    """

    axis: Axis
    claim: AxisPath
    truth: list[AxisPath]
    basis: Basis
    result: Result


class FlatWrong(Record):
    """A flat word of one end that its label speaks against."""

    field: Word
    said: Word
    truth: list[AxisPath]


class CaseScore(Record):
    """One end of a boot that was judged; `index` is 0 for the newest of its case.

    `control` when no claim is expected at all: then each assertion is wrong, and to claim nothing is right.
    """

    case: Word
    group: Group
    index: Annotated[int, Field(le=0, ge=-100000)]
    label: Word
    control: bool
    axes: Annotated[list[AxisScore], Field(min_length=3, max_length=3)]
    flat_wrong: list[FlatWrong]


class CaseFailure(Record):
    """A case of which the program gave no usable document, and why."""

    case: Word
    message: Text


class Unscored(Record):
    """An earlier end whose fault has no row in the table of truths."""

    case: Word
    index: Annotated[int, Field(le=0, ge=-100000)]
    label: Word


class AxisFigures(Record):
    """One axis over the cases of a group.

    `known` counts cases with a truth, and `silent`, `lost` and `in_open` (the truth is not excluded) are of these.
    `asserted` are those that could be checked, controls with them; `unchecked` are assertions that could not.
    `precision` is `right` of `asserted`, `coverage` is `right` of `known`; null where there is nothing to divide by.
    """

    axis: Axis
    known: Count
    asserted: Count
    right: Count
    wrong: Count
    silent: Count
    lost: Count
    in_open: Count
    unchecked: Count
    precision: Share | None
    coverage: Share | None


class Figures(Record):
    """The figures of a group; `precision` and `open_coverage` (`in_open` of `known`) are over all axes."""

    group: Group
    cases: Count
    controls: Count
    controls_right: Count
    precision: Share | None
    open_coverage: Share | None
    axes: Annotated[list[AxisFigures], Field(min_length=3, max_length=3)]


class ResetScore(Record):
    """A folder of labelled cases, each run through the node's program and held against its label."""

    score_schema: Annotated[Literal["sparkctl.reset-score/1"], Field(alias="schema")] = "sparkctl.reset-score/1"
    tool: Word
    folder: Text
    figures: list[Figures]
    cases: list[CaseScore]
    failures: list[CaseFailure]
    unscored: list[Unscored]
    exit_code: Count
    exit_name: Word


def is_true(claim: str, truth: Iterable[str]) -> bool:
    """Whether a claim is one of the true paths, or a branch above one."""
    return claim != ANY and any(is_under(path, claim) for path in truth)


def is_open(axis: Axis, leaves: Sequence[str], truth: Iterable[str]) -> bool:
    """Whether a true path is among the open leaves, or lies under or above one of them.

    A label may name a leaf that our tree has not: then the nearest branch that it has must be open.
    """
    known = [known_part(axis, path) for path in truth]
    return any(is_under(path, leaf) or is_under(leaf, path) for path in known for leaf in leaves)


def known_part(axis: Axis, path: str) -> str:
    """The path itself if it is in the tree of its axis, else the nearest branch above it that is, `any` at last."""
    while path and not leaves_under(axis, path):
        path = path.rpartition(".")[0]
    return path or ANY


def score_end(
    transition: Transition | None, truths: Mapping[Axis, Truth], *, control: bool, astray: bool = False
) -> list[AxisScore]:
    """Each axis of one end; no transition claims nothing. `astray` when it is of another boot than it should be."""
    return [_axis_score(axis, transition, truths[axis], control=control, astray=astray) for axis in Axis]


def _axis_score(axis: Axis, transition: Transition | None, truth: Truth, *, control: bool, astray: bool) -> AxisScore:
    claim = ANY if transition is None else claim_of(transition, axis)
    if control:
        return _scored(axis, claim, Truth((), Basis.LABEL), Result.RIGHT if claim == ANY else Result.WRONG)
    if claim != ANY and (astray or (truth.paths and not is_true(claim, truth.paths))):
        return _scored(axis, claim, truth, Result.WRONG)
    if truth.paths and transition is not None and not is_open(axis, open_of(transition, axis), truth.paths):
        return _scored(axis, claim, truth, Result.LOST)
    return _scored(axis, claim, truth, Result.SILENT if claim == ANY else Result.RIGHT)


def _scored(axis: Axis, claim: str, truth: Truth, result: Result) -> AxisScore:
    return AxisScore(axis=axis, claim=claim, truth=list(truth.paths), basis=truth.basis, result=result)


def flat_wrong(transition: Transition | None, truths: Mapping[Axis, Truth], *, control: bool) -> list[FlatWrong]:
    """The flat words of one end that are not true under some leaf that its label allows; of a control, any word."""
    if transition is None:
        return []
    flat, initiators, ends = transition.flat, truths[Axis.INITIATOR].paths, truths[Axis.TERMINATION].paths
    if control:
        against = {"expected": {"yes", "no"}, "data_at_risk": {"yes", "no"}}
    else:
        expected = {EXPECTED.get(path, "unknown") for path in initiators}
        disorderly = {is_under(path, "disorderly") for path in ends}
        against = {
            "expected": {word for word, other in OPPOSITES.items() if other in expected},
            "data_at_risk": ({"no"} if True in disorderly else set()) | ({"yes"} if disorderly == {False} else set()),
        }
    said = {"expected": flat.expected, "data_at_risk": flat.data_at_risk}
    truth = {"expected": initiators, "data_at_risk": ends}
    return [
        FlatWrong(field=name, said=word, truth=list(truth[name]))
        for name, word in said.items()
        if word in against[name]
    ]


def figures_of(group: Group, cases: Sequence[CaseScore]) -> Figures:
    """The figures of the cases of one group."""
    mine = [case for case in cases if case.group is group]
    controls = [case for case in mine if case.control]
    axes = [_axis_figures(axis, mine) for axis in Axis]
    return Figures(
        group=group,
        cases=len(mine),
        controls=len(controls),
        controls_right=sum(all(one.result is Result.RIGHT for one in case.axes) for case in controls),
        precision=_share(sum(one.right for one in axes), sum(one.asserted for one in axes)),
        open_coverage=_share(sum(one.in_open for one in axes), sum(one.known for one in axes)),
        axes=axes,
    )


def _axis_figures(axis: Axis, cases: Sequence[CaseScore]) -> AxisFigures:
    all_of_it = [(case.control, one) for case in cases for one in case.axes if one.axis is axis]
    known = [one for control, one in all_of_it if not control and one.truth]
    said = [one for _, one in all_of_it if one.claim != ANY]
    wrong = sum(one.result is Result.WRONG for one in said)
    right = sum(one.result is not Result.WRONG for one in said if one.truth)
    counts = {result: sum(one.result is result for one in known) for result in Result}
    return AxisFigures(
        axis=axis,
        known=len(known),
        asserted=right + wrong,
        right=right,
        wrong=wrong,
        silent=counts[Result.SILENT],
        lost=counts[Result.LOST],
        in_open=counts[Result.RIGHT] + counts[Result.SILENT],
        unchecked=len(said) - right - wrong,
        precision=_share(right, right + wrong),
        coverage=_share(right, len(known)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def is_bad(case: CaseScore) -> bool:
    """Whether an axis of it is wrong or lost, or a flat word wrong."""
    return bool(case.flat_wrong) or any(one.result in (Result.WRONG, Result.LOST) for one in case.axes)
