"""What a playbook says: steps in order, how many nodes at a time, and when to stop."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Sha256Hex, Text, Word
from sparkctl.model.canonical import Json
from sparkctl.model.lifecycle import Phase

PlaybookName = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z][a-z0-9-]{0,38}$")]
"""Phase and name, as `maintenance/reboot`; the file is that with `.yaml`."""

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,38}$")]


class Risk(StrEnum):
    """What a playbook may do to a node at worst; each class has approvals of its own."""

    READ_ONLY = "read-only"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"

    @property
    def namespace(self) -> str:
        """The namespace of an OpenSSH signature that approves a plan of this class, and of no other."""
        return f"spark-approve-{self.value}"


class OnFailure(StrEnum):
    """What is done when more nodes have failed than the budget allows."""

    HOLD = "hold"  # start nothing more, on any node; a person decides
    ROLLBACK = "rollback"  # take back what can be, on every node of the wave, and then hold
    STOP_NEW = "stop-new"  # nodes under way come to their end, no further one begins


class Fidelity(StrEnum):
    """How well a plan knows what a step will do."""

    EXACT = "exact"  # the very command was tried as far as it can be without doing it
    PREDICTED = "predicted"  # it rests on what an earlier step will have done
    OPAQUE = "opaque"  # a person, or something that cannot be asked beforehand, decides


class Step(Record):
    """One step on one node.

    `do` is a verb: `judge`, `wait`, `ask`, `sparkctl`, or `control.NAME` for a controller. `options` are of that
    verb; a value `$name` stands for a parameter. `within_s` bounds the step, in seconds. `undo` says whether a
    rollback takes it back. `always` steps also run on a node whose earlier step failed.
    """

    id: StepId
    do: Word
    title: Text
    options: dict[Word, Any] = {}
    within_s: Annotated[int, Field(ge=1, le=7 * 86400)]
    undo: bool = False
    always: bool = False


class WaveRule(Record):
    """How nodes are divided: sizes in nodes or in percent of them, the last of which repeats; soaking in seconds.

    `control` nodes are touched last, so that the others can be held against them.
    """

    sizes: Annotated[list[Word], Field(min_length=1, max_length=50)]
    soak_s: Annotated[int, Field(ge=0, le=7 * 86400)] = 0
    control: Annotated[int, Field(ge=0, le=1000)] = 0
    at_once: Annotated[int, Field(ge=1, le=1000)] = 10


class Budget(Record):
    """How many nodes may fail, be unreachable or unknown alike: in one wave, and in the whole run."""

    wave: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]


class ParameterKind(StrEnum):
    """What a parameter holds: one text, a whole number, a list of texts, or texts by names."""

    WORD = "word"
    NUMBER = "number"
    WORDS = "words"
    MAPPING = "mapping"


class Parameter(Record):
    """What whoever plans must or may say."""

    kind: ParameterKind
    help: Text
    required: bool = False
    default: Any = None


class Playbook(Record):
    """A playbook as its file says it. `sha256` is that of the file, `runbook` the text beside it for people."""

    playbook_schema: Annotated[Literal["sparkctl.playbook/1"], Field(alias="schema")] = "sparkctl.playbook/1"
    name: PlaybookName
    phase: Phase
    title: Text
    risk: Risk
    states: list[Word] = []
    parameters: dict[Word, Parameter] = {}
    waves: WaveRule
    budget: Budget
    on_failure: OnFailure
    breaks_units: bool = False
    windowed: bool
    steps: Annotated[list[Step], Field(min_length=1, max_length=60)]
    sha256: Sha256Hex
    runbook: str = ""


def with_parameters(options: dict[str, Any], values: dict[str, Json]) -> dict[str, Any]:
    """The options of a step with every `$name` replaced by the parameter's value; those without a value are left out.

    Raises KeyError for a name that is no parameter.
    """
    found = {key: _filled(value, values) for key, value in options.items()}
    return {key: value for key, value in found.items() if value is not None}


def _filled(value: Any, values: dict[str, Json]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return values[value[1:]]
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    return value


def names_in(value: Any) -> set[str]:
    """The parameters that options name."""
    if isinstance(value, str):
        return {value[1:]} if value.startswith("$") else set()
    if isinstance(value, list):
        return set().union(*(names_in(item) for item in value))
    if isinstance(value, dict):
        return set().union(*(names_in(item) for item in value.values()))
    return set()
