"""What a step can do, and which options each verb takes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparkctl.model.playbook import Step

CONTROL = "control."
"""Before the name of a controller: such a step changes the node."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its options, those that it must have, and what it does in words."""

    options: frozenset[str]
    required: frozenset[str]
    words: str


VERBS = {
    "judge": Verb(frozenset({"fail_on", "ignore"}), frozenset(), "judge the node by all checks of level L1"),
    "wait": Verb(frozenset({"seconds"}), frozenset({"seconds"}), "let time pass"),
    "ask": Verb(frozenset({"question"}), frozenset({"question"}), "ask a person, who answers with `playbook answer`"),
    "move": Verb(
        frozenset({"to", "reason", "evidence"}),
        frozenset({"to", "reason"}),
        "move the node on in the ledger of custody",
    ),
    "sparkctl": Verb(
        frozenset({"command", "accepts"}), frozenset({"command"}), "run a command of sparkctl for this node"
    ),
}

COMMANDS = (
    ("alerts", "mute"),
    ("baseline", "set"),
    ("bundle", "collect"),
    ("collect",),
    ("drift",),
    ("health",),
    ("ledger", "add"),
    ("node", "evidence"),
    ("node", "move"),
    ("ota",),
    ("receive", "accept"),
    ("receive", "pins"),
    ("reset-reason",),
    ("retire", "certificate"),
    ("retire", "record"),
)
"""The commands that a step may run: they read nodes, and write only what may be written twice."""

RUNS = (("bundle", "collect"), ("collect",), ("health",), ("reset-reason",))
"""How those of them begin that visit nodes as a run, of which there is one at a time in a state folder."""

PAPERWORK = (("alerts",), ("baseline", "set"), ("ledger",), ("node",), ("retire",))
"""How those of them begin that write down what is known already, and visit no node."""

NOT_OF_A_NODE = (("retire", "certificate"),)
"""Those of them that take a document, and no name of a node."""

NODE = "node"
"""The parameter that every playbook has: the name of the node that a step is done on."""

FOLDER = "folder"
"""Another one: the folder for files of this node in this run."""

RUN = "run"
"""The id of the run."""

SEED = "seed"
"""32 hexadecimal digits of this node in this run, which no other node or run has."""

DOCUMENTS = {
    "plan": "plan_file",
    "record": "record_file",
    "baseline": "baseline_file",
    "sanitisation": "sanitisation_file",
    "certificate": "certificate_file",
}
"""What `move` may rest on, each with the parameter that names its file: the plan that was approved, the record of what
the run did to the node, what the node was when it was enrolled, what was done to its media, and what became of them."""

BUILT_IN = (NODE, FOLDER, RUN, SEED, *DOCUMENTS.values())
"""Every parameter that a playbook has without naming it."""


def controller_of(do: str) -> str | None:
    """The controller that a step asks for, if it asks for one."""
    return do.removeprefix(CONTROL) if do.startswith(CONTROL) else None


def is_command(words: Sequence[str]) -> bool:
    """Whether these words begin with a command that a step may run."""
    return _begin_as_any(words, COMMANDS)


def named(run_id: str, node_id: str) -> dict[str, str]:
    """The parameters that a playbook has without naming them, but for those that name files."""
    digest = hashlib.sha256(f"{run_id}\n{node_id}\nseed".encode()).hexdigest()
    return {NODE: node_id, RUN: run_id, SEED: digest[:32]}


def visits_nodes(steps: Iterable[Step]) -> bool:
    """Whether any step needs a node that answers; the others ask people, and write down what is known."""
    return any(_visits(step) for step in steps)


def _visits(step: Step) -> bool:
    if step.do != "sparkctl":
        return step.do == "judge" or controller_of(step.do) is not None
    return not _begin_as_any(step.options["command"], PAPERWORK)


def takes_node(words: Sequence[str]) -> bool:
    """Whether the name of the node is to stand behind these words of a command, where no word is it."""
    return not _begin_as_any(words, NOT_OF_A_NODE)


def is_run(words: Sequence[str]) -> bool:
    """Whether these words of a command make it a run: while one lasts, another one is refused."""
    return _begin_as_any(words, RUNS)


def _begin_as_any(words: Sequence[str], commands: Iterable[tuple[str, ...]]) -> bool:
    return any(tuple(words[: len(command)]) == command for command in commands)
