"""What the printed runbook of a playbook says, in words that every kind of paper shares."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from sparkctl.model.playbook import Budget, OnFailure, Playbook, Risk, Step, WaveRule
from sparkctl.model.printable import printable
from sparkctl.playbook.verbs import FOLDER, NODE, RUN, VERBS, controller_of, takes_node
from sparkctl.report.words import count

UNBOUNDED = 100_000
"""The largest budget that a playbook can have: any number of nodes may fail."""

RISKS = {
    Risk.READ_ONLY: "nothing is changed on a node",
    Risk.REVERSIBLE: "what it changes can be taken back",
    Risk.DISRUPTIVE: "work on the node is interrupted",
    Risk.DESTRUCTIVE: "something is lost that cannot be brought back",
}
_ON_FAILURE = {
    OnFailure.HOLD: "nothing more begins on any node, until a person decides",
    OnFailure.ROLLBACK: "what can be taken back is taken back on every node of the wave, and nothing more begins",
    OnFailure.STOP_NEW: "nodes under way come to their end, and no further node begins",
}
_TOLD = ("command", "fail_on", "question", "seconds")  # options that the words of their step tell
_PLACES = {f"${NODE}": "NODE", f"${FOLDER}": "FOLDER", f"${RUN}": "RUN"}
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """A step in words.

    `command` is what a person would type for it, where there is such a command; `what` says what is done, where that
    is not just the command. `undo` says whether it can be taken back, None where it changes nothing on the node.
    """

    id: str
    title: str
    what: str | None
    command: str | None
    options: list[tuple[str, str]]
    limit: str
    undo: str | None
    always: bool


@dataclass(frozen=True, slots=True)
class RunbookParameter:
    """A parameter in words."""

    name: str
    kind: str
    needed: str
    help: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """All that is on the paper: `facts` are pairs of a heading and a sentence, `failing` says what to do, in order."""

    name: str
    title: str
    sha256: str
    facts: list[tuple[str, str]]
    parameters: list[RunbookParameter]
    steps: list[RunbookStep]
    failing: list[str]
    text: str


def runbook_of(playbook: Playbook, approvals: int) -> Runbook:
    """A playbook in words; `approvals` is how many people must approve a plan of it at this site."""
    return Runbook(
        name=playbook.name,
        title=playbook.title,
        sha256=playbook.sha256,
        facts=list(_facts(playbook, approvals).items()),
        parameters=[
            RunbookParameter(
                name,
                one.kind.value,
                "required" if one.required else "left out" if one.default is None else value_text(one.default),
                one.help,
            )
            for name, one in playbook.parameters.items()
        ],
        steps=[_step(step) for step in playbook.steps],
        failing=_failing(playbook),
        text=playbook.runbook,
    )


def _facts(playbook: Playbook, approvals: int) -> dict[str, str]:
    when = "only while a maintenance window of the site is open" if playbook.windowed else "at any time"
    return {
        "Phase": playbook.phase.value,
        "Risk": f"{playbook.risk.value} ({RISKS[playbook.risk]})",
        "Approval": approval_words(playbook.risk, approvals),
        "A node must be": " or ".join(state.replace("_", " ") for state in playbook.states) or "in any state",
        "Nodes begin": when,
        "Waves": wave_words(playbook.waves, whole_units=not playbook.breaks_units),
        "Budget": budget_words(playbook.budget),
        "Beyond the budget": _ON_FAILURE[playbook.on_failure],
    }


def approval_words(risk: Risk, approvals: int) -> str:
    """How many people must approve a plan, and by what."""
    if not approvals:
        return "none is needed"
    each = "an OpenSSH signature" if approvals == 1 else "OpenSSH signatures of different people"
    return f"{count(approvals, 'person').replace('persons', 'people')}: {each} in the namespace {risk.namespace}"


def wave_words(rule: WaveRule, *, whole_units: bool) -> str:
    """Who is treated when."""
    sizes = [_size(size) for size in rule.sizes]
    if rule.sizes == ["100%"]:
        said = "all nodes in one wave"
    elif len(sizes) == 1:
        said = f"{sizes[0]} in every wave"
    else:
        said = f"{', then '.join(sizes)} in every wave until all are done"
    parts = [said, f"no more than {count(rule.at_once, 'node')} at the same time"]
    if rule.soak_s:
        parts.append(f"{told_length(rule.soak_s)} of waiting after each wave, and a look at how its nodes are")
    if rule.control:
        stay = "stays" if rule.control == 1 else "stay"
        parts.append(f"{count(rule.control, 'node')} {stay} untouched until the end, for comparison")
    if whole_units:
        parts.append("nodes that are cabled together are in one wave")
    return "; ".join(parts)


def _size(size: str) -> str:
    return f"{size[:-1]} % of the nodes" if size.endswith("%") else count(int(size), "node")


def budget_words(budget: Budget) -> str:
    """How many nodes may fail."""
    if budget.total >= UNBOUNDED and budget.wave >= UNBOUNDED:
        return "any number of nodes may fail"
    if not budget.wave or not budget.total:
        return "no node may fail, be unreachable, or come out unknown"
    wave = count(budget.wave, "node")
    return f"{wave} in a wave and {budget.total:,} in all may fail, be unreachable, or come out unknown"


def told_length(seconds: int) -> str:
    """A length of time with all its units: `90` is `1 min 30 s`."""
    parts = []
    for unit, length in _UNITS:
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts) or "0 s"


def value_text(value: Any) -> str:
    """A value as people write it: texts as they are, all else as JSON; on one line of at most 1,000 characters."""
    text = _PLACES.get(value, value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, 1000)


def _step(step: Step) -> RunbookStep:
    name = controller_of(step.do)
    command = command_of(step)
    what = f"the controller {name} changes the node" if name else VERBS[step.do].words
    shown = {key: value for key, value in step.options.items() if key not in _TOLD}
    if step.do == "judge" and step.options.get("fail_on") == "warn":
        what += ", of which none may warn or fail"
    elif step.do == "ask":
        what = f"a person answers: {value_text(step.options['question'])}"
    elif step.do == "wait":
        what = f"{told_length(int(step.options['seconds']))} pass"
    return RunbookStep(
        id=step.id,
        title=step.title or step.id,
        what=None if step.do == "sparkctl" else what,
        command=command,
        options=[(printable(key), value_text(value)) for key, value in shown.items()],
        limit=told_length(step.within_s),
        undo=("yes" if step.undo else "no") if name or step.undo else None,
        always=step.always,
    )


def command_of(step: Step) -> str | None:
    """What a person types for a step that only reads, or keeps books; None where no command does just that."""
    if step.do == "judge":
        fail_on = ["--fail-on", str(step.options["fail_on"])] if "fail_on" in step.options else []
        return None if "ignore" in step.options else shlex.join(["sparkctl", "health", *fail_on, "NODE"])
    if step.do != "sparkctl":
        return None
    said = step.options["command"]
    node = ["NODE"] if f"${NODE}" not in said and takes_node(said) else []
    return shlex.join(["sparkctl", *(value_text(word) for word in said), *node])


def _failing(playbook: Playbook) -> list[str]:
    """What becomes of a node whose step failed, and what whoever watches does then."""
    always = [step.title or step.id for step in playbook.steps if step.always]
    rest = f", except: {'; '.join(always)}" if always else ""
    said = [f"The node on which a step failed gets no further step{rest}. It counts against the budget."]
    if playbook.budget.total < UNBOUNDED:
        said.append(f"Beyond the budget, {_ON_FAILURE[playbook.on_failure]}.")
    if playbook.on_failure is OnFailure.ROLLBACK:
        back = [step.title or step.id for step in reversed(playbook.steps) if step.undo]
        said.append(f"Taken back is: {'; '.join(back)}." if back else "No step of this playbook can be taken back.")
    return said


ONLY_CONTROLLERS = "Only a step by a controller changes the node. Of any other there is nothing to take back."
NAMES = "NODE stands for the name of the node, RUN for the name of the run."
COMMANDS = (
    ("sparkctl playbook status RUN", "which node, which step, and why; and what is to be done next"),
    ("sparkctl playbook journal RUN", "every command that was run, and how it ended"),
    ("sparkctl playbook resume RUN", "go on after an interruption, or after a hold that somebody decided on"),
    ("sparkctl playbook answer RUN NODE done --why 'TEXT'", "say what became of a node that nobody can ask"),
    ("sparkctl playbook stop RUN --why 'TEXT'", "give the run up"),
)
"""What whoever watches a run types when something fails."""
