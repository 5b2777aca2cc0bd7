"""What the journals of playbooks tell of the media of a node: each act, with what the node answered, oldest first."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from sparkctl.errors import RefusedError
from sparkctl.model.control import ControlData, ControlEnvelope, ControlPhase, ControlResult
from sparkctl.model.envelope import NodeFacts
from sparkctl.model.journal import Answer, Answered, Ended, Intended, JournalEntry
from sparkctl.model.plan import Plan, PlannedNode
from sparkctl.model.playbook import with_parameters
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Origin
from sparkctl.playbook.verbs import BUILT_IN, controller_of, named
from sparkctl.store.journal import Journals

MARKERS, SANITIZE, TPM = "nvme-markers", "nvme-sanitize", "tpm-clear"
ON_MEDIA = (MARKERS, SANITIZE, TPM)
_NOT_RUN = frozenset({"busy", "fenced", "other_boot"})


@dataclass(frozen=True, slots=True)
class Answers:
    """One document that a node gave: its name and digest, what the controller said in it, and of which machine."""

    name: str
    sha256: str
    data: ControlData | None
    machine: NodeFacts | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class ToldAct:
    """A step of a controller on the node: what it was told, when it was begun and ended, and what the node answered.

    `began` is None for one that was not begun: refused, or with nothing to do. `ended` is None for one of which
    nothing is known.
    """

    controller: str
    given: dict[str, Any]
    began: datetime | None
    ended: datetime | None
    answers: tuple[Answers, ...]

    def said(self, *phases: ControlPhase) -> ControlData | None:
        """The newest answer to one of these phases."""
        found = (one.data for one in reversed(self.answers) if one.data is not None)
        return next((data for data in found if data.phase in phases), None)

    @property
    def end(self) -> ControlData | None:
        """The newest answer that tells how its command ended."""
        found = (one.data for one in reversed(self.answers) if one.data is not None)
        return next((data for data in found if data.exit_status is not None), None)


@dataclass(frozen=True, slots=True)
class ToldRun:
    """A run as far as it is of the node. `answered` is when a person last answered `done` to something it asked."""

    plan: Plan
    node: PlannedNode
    acts: tuple[ToldAct, ...]
    answered: datetime | None


def told_runs(journals: Journals, run_id: str, node_id: str) -> list[ToldRun]:
    """That run and those before it that were of the same machine, oldest first.

    Raises UsageError for a run that is not known, RefusedError when it is not of that node, when it is in doubt what
    an act came to, or when a journal or a document is not what was written.
    """
    run = _told(journals, journals.plan(run_id), node_id)
    if run is None:
        raise RefusedError(
            f"the run {run_id} is not of {node_id}",
            hint=f"its nodes: {', '.join(node.node_id for node in journals.plan(run_id).nodes[:5])}",
        )
    found, serial = [run], run.node.serial
    older = [one for one in journals.runs() if one.fence > 0]
    names = [one.run_id for one in older]
    for name in names[names.index(run_id) + 1 :] if run_id in names else names:
        before = _told(journals, journals.plan(name), node_id)
        if before is None or not before.acts or (serial is not None and before.node.serial != serial):
            continue
        serial = serial or before.node.serial
        found.insert(0, before)
    return found


def _told(journals: Journals, plan: Plan, node_id: str) -> ToldRun | None:
    node = next((one for one in plan.nodes if one.node_id == node_id), None)
    if node is None:
        return None
    entries = list(journals.entries(plan.run_id))
    answered = [
        entry.at
        for entry in entries
        if isinstance(entry.event, Answered) and entry.event.node_id == node_id and entry.event.answer is Answer.DONE
    ]
    acts = tuple(_acts(journals, plan, node_id, entries))
    return ToldRun(plan, node, acts, answered[-1] if answered else None)


def _acts(journals: Journals, plan: Plan, node_id: str, entries: Sequence[JournalEntry]) -> Iterator[ToldAct]:
    steps = {step.id: step for step in plan.steps if controller_of(step.do) in ON_MEDIA}
    values = plan.parameters | {name: name.upper() for name in BUILT_IN} | named(plan.run_id, node_id)
    begun: dict[str, JournalEntry] = {}
    for entry in entries:
        event = entry.event
        if not isinstance(event, Intended | Ended | Answered) or event.node_id != node_id or event.step not in steps:
            continue
        if isinstance(event, Intended):
            begun[event.act] = entry
            continue
        intended = begun.pop(event.act, None)
        documents = event.documents if isinstance(event, Ended) else []
        name = f"{plan.run_id}.{event.step}.{event.attempt}"
        answers = tuple(_answers(journals, name, documents))
        was_begun = intended is not None and not _never_ran(answers)
        yield ToldAct(
            controller=controller_of(steps[event.step].do) or "",
            given=with_parameters(steps[event.step].options, values),
            began=intended.at if intended is not None and was_begun else None,
            ended=entry.at if answers else None,
            answers=answers,
        )
    if begun:
        doubtful = next(iter(begun.values())).event
        assert isinstance(doubtful, Intended)  # noqa: S101 - nothing else is kept there
        raise RefusedError(
            f"it is in doubt what became of the step {doubtful.step} of {plan.run_id} on {node_id}",
            hint=f"see what became of it: sparkctl playbook resume {plan.run_id}",
        )


def _never_ran(answers: Sequence[Answers]) -> bool:
    """Whether the node said that the command was not begun; where it said nothing, it may have been."""
    phases = (ControlPhase.APPLY, ControlPhase.OBSERVE)
    last = next((one.data for one in reversed(answers) if one.data and one.data.phase in phases), None)
    if last is None:
        return False
    if last.phase is ControlPhase.OBSERVE:
        return last.reason in ("busy", "fenced") or (last.result is ControlResult.ABSENT and last.reason is None)
    nothing = last.result in (ControlResult.REFUSED, ControlResult.UNKNOWN) and last.unit is None
    return nothing or last.reason in _NOT_RUN


def _answers(journals: Journals, name: str, digests: Sequence[str]) -> Iterator[Answers]:
    for number, digest in enumerate(digests, 1):
        text = journals.document(digest)
        if text is None or hashlib.sha256(text).hexdigest() != digest:
            raise RefusedError(
                f"the document {digest} of {name} is not in the store as it was written",
                hint="somebody changed the store: nothing is certified on the word of this journal",
            )
        record = _run_record(text)
        if record is None:
            continue
        envelope = record.envelope
        data = envelope.data if isinstance(envelope, ControlEnvelope) else None
        origin = envelope.meta.origin if envelope is not None else None
        phase = data.phase.value if data is not None else "none"
        yield Answers(
            f"{name}.{number}.{phase}.json",
            digest,
            data,
            envelope.meta.node if envelope is not None else None,
            record.simulated or origin is Origin.SIMULATED,
        )


def _run_record(text: bytes) -> RunRecord | None:
    """A visit; None for another kind of document."""
    try:
        return RunRecord.model_validate_json(text)
    except ValidationError:
        return None
