"""Run a folder of labelled reset cases through the node's program and hold what it claims against the labels.

A case is a folder with `case.json` (the label, never an input) and `evidence.txt` (published lines) or `root/` (a
tree), or such a folder with a tree as `NAME.tar.zst`.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sparkctl import __version__
from sparkctl.app.reset_reason import answer_of_tree
from sparkctl.app.reset_text_case import tree_of_text
from sparkctl.app.tree_bundle import unpacked
from sparkctl.errors import ExitCode, SparkctlError, UsageError
from sparkctl.model.printable import printable
from sparkctl.model.reset import AxisPath, ResetEnvelope, Transition
from sparkctl.model.reset_labels import BY_FAULT, SAME_KERNEL, Basis, Label, Truth, truth_of
from sparkctl.model.reset_score import (
    CaseFailure,
    CaseScore,
    Group,
    ResetScore,
    Unscored,
    figures_of,
    flat_wrong,
    is_bad,
    score_end,
)
from sparkctl.model.reset_words import Axis

AT_ONCE = 2
CASE_FILE, EVIDENCE, ROOT, PACKED = "case.json", "evidence.txt", "root", ".tar.zst"


class _Label(BaseModel):
    """What is read of a case.json; it holds more."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _TextLabel(_Label):
    label: Label
    confidence: Annotated[float, Field(ge=0, le=1)]
    also_acceptable: list[Label]
    reporter_label: Label
    reset: Literal["yes", "no", "not_shown"]
    evidence_verbatim: Literal["lines", "fragments", "described"]


class _Boot(_Label):
    boot_id: str
    ended_by: str | None


class _TreeLabel(_Label):
    truth: str
    axes: dict[Axis, list[AxisPath]] | None
    boots: list[_Boot]


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled case: where it lies, its label, and the published lines of one that is not a tree."""

    name: str
    path: Path
    label: _TextLabel | _TreeLabel
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one case."""

    scores: Sequence[CaseScore] = ()
    unscored: Sequence[Unscored] = ()
    failure: CaseFailure | None = None


def score_folder(folder: Path) -> ResetScore:
    """The scorecard of all cases in a folder, and in its folders. Raises UsageError where one cannot be read."""
    cases = read_cases(folder)
    truths = _truths_by_fault(cases)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        judged = list(pool.map(lambda case: _judge(case, truths), cases))
    scores = [score for one in judged for score in one.scores]
    failures = [one.failure for one in judged if one.failure is not None]
    code = ExitCode.FINDINGS if failures or any(map(is_bad, scores)) else ExitCode.OK
    groups = [group for group in Group if any(score.group is group for score in scores)]
    return ResetScore(
        tool=f"sparkctl {__version__}",
        folder=printable(str(folder), 1000),
        figures=[figures_of(group, scores) for group in groups],
        cases=scores,
        failures=failures,
        unscored=[one for each in judged for one in each.unscored],
        exit_code=code,
        exit_name=code.name.lower(),
    )


# --- reading cases ---


def read_cases(folder: Path) -> list[Case]:
    """Every case of a folder and of its folders, with its label; raises UsageError, also where there is none."""
    try:
        found = [path for place in (folder, *_folders(folder)) for path in sorted(place.iterdir()) if _is_case(path)]
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from error
    if not found:
        hint = f"a case is a folder with {CASE_FILE} and {EVIDENCE} or {ROOT}/, or NAME{PACKED} of one"
        raise UsageError(f"{folder}: no case is in it, nor in its folders", hint=hint)
    names = [printable(str(path.relative_to(folder)).removesuffix(PACKED), 120) for path in found]
    return [_read_case(name, path) for name, path in zip(names, found, strict=True)]


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not _is_case(path)]


def _is_case(path: Path) -> bool:
    return (path / CASE_FILE).is_file() if path.is_dir() else path.name.endswith(PACKED)


def _read_case(name: str, path: Path) -> Case:
    try:
        with _opened(path) as folder:
            if (folder / ROOT).is_dir():
                label = _TreeLabel.model_validate_json((folder / CASE_FILE).read_bytes())
                return Case(name, path, label)
            words = _TextLabel.model_validate_json((folder / CASE_FILE).read_bytes())
            return Case(name, path, words, (folder / EVIDENCE).read_text("utf-8"))
    except OSError as error:
        name = Path(error.filename or CASE_FILE).name
        if name == EVIDENCE and isinstance(error, FileNotFoundError):
            raise UsageError(f"{path}: the case has neither {EVIDENCE} nor {ROOT}/") from error
        raise UsageError(f"{path / name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path / EVIDENCE}: byte {error.start} is not UTF-8") from error
    except ValidationError as error:
        raise UsageError(f"{path / CASE_FILE}: {_first_of(error)}") from error


def _first_of(error: ValidationError) -> str:
    """The key and the words of the first thing that is wrong with a document."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}"


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
    """The folder of a case; that of an archive is removed afterwards. Raises UsageError where it cannot be unpacked."""
    if path.is_dir():
        yield path
        return
    with unpacked(path) as tree:
        if tree.root.name != ROOT:
            raise UsageError(f"{path}: it does not hold one folder with {CASE_FILE} and {ROOT}/")
        yield tree.root.parent


def _truths_by_fault(cases: Sequence[Case]) -> dict[str, dict[Axis, Truth]]:
    """What is true after a fault: as the cases with that fault say, else as the table does."""
    told: dict[str, dict[Axis, list[str]]] = {}
    for case in cases:
        if isinstance(case.label, _TreeLabel) and case.label.axes is not None:
            for axis, paths in case.label.axes.items():
                told.setdefault(case.label.truth, {}).setdefault(axis, []).extend(paths)
    table = {fault: {axis: list(paths or ()) for axis, paths in row.items()} for fault, row in BY_FAULT.items()}
    return {fault: _truths(axes) for fault, axes in (table | told).items()}


def _truths(axes: Mapping[Axis, Sequence[str]]) -> dict[Axis, Truth]:
    return {axis: Truth(tuple(dict.fromkeys(axes.get(axis, ()))), Basis.LABEL) for axis in Axis}


# --- judging ---


def _judge(case: Case, truths: Mapping[str, Mapping[Axis, Truth]]) -> Judged:
    try:
        if isinstance(case.label, _TextLabel):
            return Judged([_judge_text(case.name, case.label, case.evidence)])
        with _opened(case.path) as folder:
            return _judge_tree(case.name, case.label, folder / ROOT, truths)
    except SparkctlError as error:
        return Judged(failure=CaseFailure(case=case.name, message=printable(error.message, 1000)))
    except OSError as error:
        message = f"{error.filename or 'its tree'}: {error.strerror}"
        return Judged(failure=CaseFailure(case=case.name, message=printable(message, 1000)))


def _judge_text(name: str, label: _TextLabel, evidence: str) -> CaseScore:
    truths = truth_of(label.label, label.confidence, label.also_acceptable, label.reporter_label)
    control = label.reset != "yes" or label.evidence_verbatim == "described"
    with tempfile.TemporaryDirectory(prefix="sparkctl-case-") as place:
        for path, content in tree_of_text(evidence).items():
            file = Path(place, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        newest = _newest(answer_of_tree(Path(place), every=False))
    axes, wrong = score_end(newest, truths, control=control), flat_wrong(newest, truths, control=control)
    return CaseScore(
        case=name, group=Group.TEXT, index=0, label=label.label, control=control, axes=axes, flat_wrong=wrong
    )  # fmt: skip


def _judge_tree(name: str, label: _TreeLabel, root: Path, truths: Mapping[str, Mapping[Axis, Truth]]) -> Judged:
    newest = _newest(answer_of_tree(root, every=False))
    ended = [boot for boot in label.boots if boot.ended_by is not None]
    judged = newest.from_boot_id if newest else None
    astray = judged is not None and bool(ended) and judged != ended[-1].boot_id
    own, control = _truths(label.axes or {}), label.axes is None
    axes, wrong = score_end(newest, own, control=control, astray=astray), flat_wrong(newest, own, control=control)
    first = CaseScore(
        case=name, group=Group.TREE, index=0, label=printable(label.truth, 120), control=control, axes=axes,
        flat_wrong=wrong,
    )  # fmt: skip
    if len(ended) < 2:
        return Judged([first])
    scores, unscored = _judge_earlier(name, ended[:-1], answer_of_tree(root, every=True), truths)
    return Judged([first, *scores], unscored)


def _judge_earlier(
    name: str, ended: Sequence[_Boot], answer: ResetEnvelope, truths: Mapping[str, Mapping[Axis, Truth]]
) -> tuple[list[CaseScore], list[Unscored]]:
    """The ends before the newest that the label tells of; one that the answer does not have claims nothing."""
    found = {one.from_boot_id: one for one in (answer.data.transitions if answer.data else [])}
    scores, unscored = [], []
    for number, boot in enumerate(ended):
        index, fault = number - len(ended), boot.ended_by or ""
        word = printable(fault, 120)
        if fault in truths:
            end = found.get(boot.boot_id)
            axes = score_end(end, truths[fault], control=False)
            wrong = flat_wrong(end, truths[fault], control=False)
            scores.append(
                CaseScore(case=name, group=Group.EARLIER, index=index, label=word, control=False, axes=axes,
                          flat_wrong=wrong)
            )  # fmt: skip
        elif fault not in SAME_KERNEL:
            unscored.append(Unscored(case=name, index=index, label=word))
    return scores, unscored


def _newest(answer: ResetEnvelope) -> Transition | None:
    return next(iter(answer.data.transitions), None) if answer.data else None
