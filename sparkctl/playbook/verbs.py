"""What a step can do, and which options each verb takes."""

from dataclasses import dataclass

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
)
"""The commands that a step may run: they read nodes, and write only what may be written twice."""

NODE = "node"
"""The parameter that every playbook has: the name of the node that a step is done on."""

FOLDER = "folder"
"""Another one: the folder for files of this node in this run."""

DOCUMENTS = {
    "plan": "plan_file",
    "record": "record_file",
    "baseline": "baseline_file",
    "certificate": "certificate_file",
}
"""What `move` may rest on, each with the parameter that names its file: the plan that was approved, the record of what
the run did to the node, what the node was when it was enrolled, and what became of its media."""

BUILT_IN = (NODE, FOLDER, *DOCUMENTS.values())
"""Every parameter that a playbook has without naming it."""


def controller_of(do: str) -> str | None:
    """The controller that a step asks for, if it asks for one."""
    return do.removeprefix(CONTROL) if do.startswith(CONTROL) else None


def is_command(words: list[str]) -> bool:
    """Whether these words begin with a command that a step may run."""
    return any(tuple(words[: len(command)]) == command for command in COMMANDS)
