"""Read a playbook, strictly: every error names file, line and key."""

import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import matches, number, seconds
from sparkctl.app.settings_file import examined
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, Where, nearest
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, Sequence, YamlNode
from sparkctl.lifecycle.machine import EVIDENCE
from sparkctl.model.inventory import Problem
from sparkctl.model.lifecycle import LifecycleState, Phase
from sparkctl.model.playbook import (
    Budget,
    OnFailure,
    Parameter,
    ParameterKind,
    Playbook,
    Risk,
    Step,
    WaveRule,
    names_in,
)
from sparkctl.model.printable import printable
from sparkctl.playbook.order import StepCycle, in_order
from sparkctl.playbook.verbs import BUILT_IN, CONTROL, DOCUMENTS, VERBS, controller_of, is_command
from sparkctl.playbook.waves import size_of
from sparkctl.resources import shipped

_TOP = (
    "version", "title", "risk", "states", "parameters", "waves", "budget", "on_failure", "breaks_units", "windowed",
    "steps",
)  # fmt: skip
_STEP = ("id", "do", "title", "options", "within", "needs", "undo", "always")
_MOST_STEPS = 60
ACCEPTABLE = ("findings", "unjudged", "sink_failed")
"""Exit codes of commands that a step may take for a good end."""

_LONGEST_RUNBOOK = 256 << 10  # bytes
_ID = r"[a-z][a-z0-9-]{0,38}"
_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,8})")
WordT = TypeVar("WordT", bound=StrEnum)


def examine_playbook(path: Path) -> tuple[Playbook | None, list[Problem]]:
    """What the file of a playbook says, None where that is of no use, and everything that is wrong with it.

    Its folder is its phase; the text beside it, with `.md`, is its runbook.
    """
    return examined(path, "with the key `steps`", lambda root, problems: _Reader(path, root, problems).read())


def controllers() -> list[str]:
    """The controllers that a step may ask for."""
    files = (shipped("diag") / "controllers").glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if path.stem not in ("__init__", "words"))


class _Reader:
    def __init__(self, path: Path, root: Mapping, problems: Problems) -> None:
        self._path, self._root, self._problems = path, root, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> Playbook | None:
        """The playbook; None when something is wrong with it."""
        top = self._top
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        title = top.text("title", _line, required="Say what it is for in one line: `title: ...`.")
        risk = top.text("risk", _word_of(Risk), required=f"Write one of: {', '.join(Risk)}.")
        phase = self._phase()
        waves, budget, policy = self._waves(), self._budget(), top.text("on_failure", _word_of(OnFailure))
        parameters = self._parameters()
        steps = self._steps({*parameters, *BUILT_IN})
        windowed = top.text("windowed", _boolean)
        breaks_units = top.text("breaks_units", _boolean)
        if title is None or risk is None or phase is None or waves is None or not steps or self._problems.has_errors():
            return None
        return Playbook(
            name=f"{phase.value}/{self._path.stem}",
            phase=phase,
            title=title,
            risk=risk,
            states=top.texts("states", matches(r"[a-z][a-z_]{0,30}", "must be a state such as in_service")),
            parameters=parameters,
            waves=waves,
            budget=budget,
            on_failure=policy or OnFailure.HOLD,
            breaks_units=bool(breaks_units),
            windowed=risk in (Risk.DISRUPTIVE, Risk.DESTRUCTIVE) if windowed is None else windowed,
            steps=steps,
            sha256=hashlib.sha256(self._path.read_bytes()).hexdigest(),
            runbook=_text_beside(self._path),
        )

    def _phase(self) -> Phase | None:
        folder = self._path.absolute().parent.name
        if folder not in list(Phase):
            action = f"Put it into a folder of its phase: {', '.join(Phase)}."
            self._problems.error(Where(str(self._path), 1), f"the folder {folder!r} is no phase", action)
            return None
        if not re.fullmatch(_ID, self._path.stem):
            self._problems.error(
                Where(str(self._path), 1),
                f"{self._path.stem!r} is no name of a playbook",
                "Small letters, digits and hyphens.",
            )
            return None
        return Phase(folder)

    def _waves(self) -> WaveRule | None:
        fields = self._top.under("waves", ("sizes", "soak", "control", "at_once"))
        sizes = fields.texts("sizes", _size)
        if not fields.has("sizes"):
            fields.wrong(None, "`sizes` is missing", "Write `sizes: [1, 10%, 50%]`: nodes or shares, the last repeats.")
        elif not sizes:
            fields.wrong("sizes", "a wave must have a size", "Write `sizes: [1, 10%, 50%]`.")
        if not sizes:
            return None
        return WaveRule(
            sizes=sizes,
            soak_s=fields.text("soak", seconds) or 0,
            control=fields.text("control", number(0, 1000)) or 0,
            at_once=fields.text("at_once", number(1, 1000)) or 10,
        )

    def _budget(self) -> Budget:
        fields = self._top.under("budget", ("wave", "total"))
        wave = fields.text("wave", number(0, 100_000)) or 0
        total = fields.text("total", number(0, 100_000))
        return Budget(wave=wave, total=wave if total is None else total)

    def _parameters(self) -> dict[str, Parameter]:
        if not self._top.has("parameters"):
            return {}
        found: dict[str, Parameter] = {}
        for name, line, node in self._top.entries("parameters", required="Write a name and its kind, or leave it out."):
            where = Where(str(self._path), line, f"parameters.{printable(name, 60)}")
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or name in BUILT_IN:
                self._problems.error(where, "this is no name of a parameter", "Use small letters, digits and _.")
            elif not isinstance(node, Mapping):
                self._problems.error(where, "this must be a mapping", "Write `{kind: word, help: ...}`.")
            else:
                found[name] = self._parameter(Fields(node, where.key or "", self._path, self._problems, (
                    "kind", "help", "required", "default",
                )), node)  # fmt: skip
        return found

    @staticmethod
    def _parameter(fields: Fields, node: Mapping) -> Parameter:
        kind = fields.text("kind", _word_of(ParameterKind), required=f"Write one of: {', '.join(ParameterKind)}.")
        return Parameter(
            kind=kind or ParameterKind.WORD,
            help=fields.text("help", _line, required="Say what it is for: `help: ...`.") or "",
            required=bool(fields.text("required", _boolean)),
            default=plain(node.entries["default"][1]) if fields.has("default") else None,
        )

    def _steps(self, parameters: set[str]) -> list[Step]:
        line, node = self._root.entries.get("steps", (self._root.line, None))
        where = Where(str(self._path), line, "steps")
        if not isinstance(node, Sequence) or not node.items or len(node.items) > _MOST_STEPS:
            action = "Write `- id: ...` and `do: ...` for each."
            self._problems.error(where, f"there must be a list of 1 to {_MOST_STEPS} steps", action)
            return []
        steps: dict[str, Step] = {}
        needs: dict[str, tuple[int, list[str]]] = {}
        for place, item in enumerate(node.items, 1):
            here = Where(str(self._path), item.line, f"steps.{place}")
            if not isinstance(item, Mapping):
                self._problems.error(here, "this must be a mapping", "Write `id:`, `do:` and `within:` under it.")
                continue
            reader = _StepReader(here, Fields(item, here.key or "", self._path, self._problems, _STEP), item)
            step = reader.read(parameters)
            if step is not None and step.id in steps:
                reader.fields.wrong("id", f"there are two steps {step.id!r}", "Give each a name of its own.")
            elif step is not None:
                steps[step.id] = step
                needs[step.id] = (item.line, reader.fields.texts("needs", str))
        return self._ordered(steps, needs)

    def _ordered(self, steps: dict[str, Step], needs: dict[str, tuple[int, list[str]]]) -> list[Step]:
        for name, (line, wanted) in needs.items():
            for other in wanted:
                if other not in steps:
                    close = nearest(other, list(steps))
                    action = f"Did you mean {close[0]}?" if close else f"The steps are: {', '.join(steps)}."
                    where = Where(str(self._path), line, f"steps.{name}.needs")
                    self._problems.error(where, f"there is no step {printable(other, 60)!r}", action)
                    return []
        try:
            return [steps[name] for name in in_order(list(steps), {name: said for name, (_, said) in needs.items()})]
        except StepCycle as error:
            where = Where(str(self._path), self._root.entries["steps"][0], "steps")
            self._problems.error(where, f"steps wait for each other: {error}", "Take one of these `needs` out.")
            return []


class _StepReader:
    def __init__(self, where: Where, fields: Fields, node: Mapping) -> None:
        self._where, self.fields, self._node = where, fields, node

    def read(self, parameters: set[str]) -> Step | None:
        """The step; None when something is wrong with it."""
        fields = self.fields
        name = fields.text("id", matches(_ID, "must be small letters, digits and hyphens"), required="Name the step.")
        do = fields.text("do", _verb, required=f"Write one of: {', '.join(VERBS)}, or {CONTROL}NAME.")
        within_s = fields.text("within", seconds, required="Say how long it may take: `within: 10m`.")
        if within_s == 0:
            fields.wrong("within", "must be longer than nothing", "Write a duration such as 10m.")
        title = fields.text("title", _line)
        options = self._options(do, parameters)
        undo = fields.text("undo", _boolean)
        if undo and do is not None and controller_of(do) is None:
            fields.wrong("undo", "only what a controller did can be taken back", "Leave it out.")
        if name is None or do is None or not within_s or options is None:
            return None
        return Step(
            id=name,
            do=do,
            title=title or (VERBS[do].words if do in VERBS else f"{controller_of(do)}"),
            options=options,
            within_s=within_s,
            undo=bool(undo),
            always=bool(fields.text("always", _boolean)),
        )

    def _options(self, do: str | None, parameters: set[str]) -> dict[str, Any] | None:
        node = self._node.entries["options"][1] if self.fields.has("options") else Mapping(0)
        if not isinstance(node, Mapping):
            self.fields.wrong("options", "this must be a mapping", "Write `{name: value}`.")
            return None
        options = {key: plain(value) for key, _, value in node.items()}
        verb = VERBS.get(do or "")
        if verb is not None:
            unknown, missing = sorted(options.keys() - verb.options), sorted(verb.required - options.keys())
            for words, named in (("has no option", unknown), ("needs the option", missing)):
                if named:
                    self.fields.wrong("options", f"`{do}` {words} {', '.join(named)}", "Correct it.")
                    return None
        if strange := sorted(names_in(options) - parameters):
            self.fields.wrong("options", f"there is no parameter {strange[0]!r}", "Add it under `parameters:`.")
            return None
        return self._judged(do, options)

    def _judged(self, do: str | None, options: dict[str, Any]) -> dict[str, Any] | None:
        """The options, unless their values are of no use to the verb."""
        wrong = None
        if do == "sparkctl":
            command = options["command"]
            if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
                wrong = "`command` must be a list of words"
            elif not is_command(command):
                wrong = f"a step may not run `sparkctl {' '.join(command)}`"
            elif unknown := [word for word in options.get("accepts", []) if word not in ACCEPTABLE]:
                wrong = f"`accepts` may name {', '.join(ACCEPTABLE)}, not {unknown[0]}"
        elif do == "judge" and options.get("fail_on", "fail") not in ("fail", "warn"):
            wrong = "`fail_on` must be fail or warn"
        elif do == "wait" and not (isinstance(options["seconds"], int) and 1 <= options["seconds"] <= 86400):
            wrong = "`seconds` must be a number from 1 to 86400"
        elif do == "move":
            wrong = _complaint_of_move(options)
        elif do == "ask" and not isinstance(options["question"], str):
            wrong = "`question` must be one line"
        if wrong is not None:
            self.fields.wrong("options", wrong, "Correct it.")
            return None
        return options


def _complaint_of_move(options: dict[str, Any]) -> str | None:
    """What is wrong with the options of `move`."""
    if options["to"] not in [state.value for state in LifecycleState]:
        return f"there is no state {options['to']!r}"
    evidence = options.get("evidence", {})
    if not isinstance(evidence, dict):
        return f"`evidence` must be a mapping of kinds to one of {', '.join(DOCUMENTS)}"
    unknown = [kind for kind, document in evidence.items() if kind not in EVIDENCE or document not in DOCUMENTS]
    return f"`evidence` has no kind {unknown[0]!r}, or rests on none of {', '.join(DOCUMENTS)}" if unknown else None


def plain(node: YamlNode) -> Any:
    """A value as JSON has it: plain words for numbers, true, false and nothing are those; all else is text."""
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key: plain(value) for key, _, value in node.items()}
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    if not node.plain:
        return node.text
    if node.is_null:
        return None
    return int(node.text) if _INTEGER.fullmatch(node.text) else _BOOLEANS.get(node.text, node.text)


def _verb(text: str) -> str:
    name = controller_of(text)
    if name is not None and name in controllers():
        return text
    if text not in VERBS:
        close = nearest(text, [*VERBS, *(f"{CONTROL}{one}" for one in controllers())])
        raise ValueError(f"is nothing that a step can do{f'; did you mean {close[0]}?' if close else ''}")
    return text


def _word_of(words: type[WordT]) -> Callable[[str], WordT]:
    def convert(text: str) -> WordT:
        if text not in list(words):
            raise ValueError(f"must be one of {', '.join(words)}")
        return words(text)

    return convert


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("must be true or false")
    return _BOOLEANS[text]


def _size(text: str) -> str:
    size_of(text, 100)
    return text


def _line(text: str) -> str:
    if not text.strip() or printable(text, 1000) != text:
        raise ValueError("must be one printable line of 1 to 1,000 characters")
    return text


def _text_beside(path: Path) -> str:
    beside = path.with_suffix(".md")
    try:
        if not beside.is_file():
            return ""
        with beside.open("rb") as file:
            text = file.read(_LONGEST_RUNBOOK + 1)
        if len(text) > _LONGEST_RUNBOOK:
            raise UsageError(
                f"{beside} is longer than {_LONGEST_RUNBOOK >> 10} KiB", hint="shorten it, and link to the rest"
            )
        return text.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{beside}: {error}") from error
