"""What a playbook would do to one node, as far as that can be told without doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparkctl.app.playbook_control import Control, Controls
from sparkctl.app.playbook_visits import Visits
from sparkctl.executor.question import HEALTH
from sparkctl.model.control import ControlData, ControlResult
from sparkctl.model.inventory import Node
from sparkctl.model.journal import Act, act_id
from sparkctl.model.plan import Effect
from sparkctl.model.playbook import Fidelity, Step
from sparkctl.model.run import RunRecord
from sparkctl.playbook.verbs import controller_of, visits_nodes

_OBJECTIONS = frozenset({ControlResult.REFUSED, ControlResult.UNKNOWN, ControlResult.FAILED})


@dataclass(frozen=True, slots=True)
class Preview:
    """What the node said of itself, and the effect of each step. `silence` says why it said nothing, if it did not."""

    effects: tuple[Effect, ...]
    serial: str | None = None
    boot_id: str | None = None
    silence: str | None = None


async def preview(visits: Visits, node: Node, run_id: str, steps: Sequence[tuple[Step, dict[str, Any]]]) -> Preview:
    """Ask a node what each controller would do; a node without one is asked how it is, to see that it is itself.

    A node that no step visits is not asked at all: it may not be there any more.
    """
    effects: list[Effect] = []
    record: RunRecord | None = None
    changed = False
    for step, options in steps:
        name = controller_of(step.do)
        if name is None:
            effects.append(_without_controller(step, options, changed=changed))
            continue
        act = Act(
            node_id=node.node_id,
            step=step.id,
            attempt=1,
            act=act_id(run_id, node.node_id, step.id, 1, undoing=False),
        )
        record, data = await Controls(visits).precheck(Control(name, options, step.within_s, act))
        if data is None:
            return Preview((), silence=_silence(record))
        effects.append(_of_controller(step, data, changed=changed))
        changed = changed or data.result is not ControlResult.HOLDS
    if not visits_nodes(step for step, _ in steps):
        return Preview(tuple(effects))
    if record is None:
        record = await visits.ask(node.node_id, "health", HEALTH)
    if record.envelope is None:
        return Preview((), silence=_silence(record))
    said = record.envelope.meta.node
    return Preview(tuple(effects), said.serial, said.boot_id)


def _of_controller(step: Step, data: ControlData, *, changed: bool) -> Effect:
    objects = data.result in _OBJECTIONS
    if data.result is ControlResult.HOLDS:
        summary = "nothing: it is so already"
    else:
        summary = f"refused as things are now: {data.summary}"[:1000] if objects else data.summary
    return Effect(
        step=step.id,
        fidelity=Fidelity.PREDICTED if changed else Fidelity.EXACT,
        summary=summary,
        argv=data.argv,
        objection=data.summary if objects and not changed else None,
    )


def _without_controller(step: Step, options: dict[str, Any], *, changed: bool) -> Effect:
    if step.do == "ask":
        return Effect(step=step.id, fidelity=Fidelity.OPAQUE, summary=f"a person answers: {options['question']}"[:1000])
    if step.do == "sparkctl":
        words = ["sparkctl", *(str(word) for word in options["command"])]
        return Effect(step=step.id, fidelity=Fidelity.PREDICTED, summary=_first_words(words), argv=words)
    if step.do == "move":
        words_of_move = f"it becomes {options['to']} in the ledger, where that has it"
        return Effect(step=step.id, fidelity=Fidelity.PREDICTED, summary=words_of_move)
    if step.do == "wait":
        return Effect(step=step.id, fidelity=Fidelity.EXACT, summary=f"{options['seconds']} s pass")
    return Effect(
        step=step.id,
        fidelity=Fidelity.PREDICTED if changed else Fidelity.EXACT,
        summary="all checks of level L1 are read; nothing is changed",
    )


def _first_words(words: Sequence[str]) -> str:
    """A command as far as it says what it is: up to its first option."""
    plain = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return f"`{' '.join(words[:plain])}` runs for it"[:1000]


def _silence(record: RunRecord) -> str:
    failure = record.failure
    assert failure is not None  # noqa: S101 - a record without an answer has a failure
    return f"{failure.stage.value}: {failure.message}"
