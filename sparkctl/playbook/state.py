"""What is so in a run: the fold of its journal. The same records always give the same state, whoever reads them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sparkctl.model.journal import (
    Act,
    Answer,
    Answered,
    Asked,
    Claimed,
    Closed,
    Ended,
    Held,
    Intended,
    JournalEntry,
    Opened,
    Outcome,
    Released,
    Result,
    WaveBegan,
    WaveJudged,
)
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Step


class NodeStatus(StrEnum):
    """How a node stands in a run."""

    WAITING = "waiting"
    UNDER_WAY = "under_way"
    IN_DOUBT = "in_doubt"
    ASKING = "asking"
    DONE = "done"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"


@dataclass(slots=True)
class NodeState:
    """One node. `position` is the index of its next step, `open` an intent of which no end is known yet.

    An open intent is `doubtful` when it is of an earlier process. `bad` is the first end that was not well, `touched`
    are the steps that may have changed the node and can be taken back, in their order; `undo` those that are still to
    be, once the node is `taking_back` what was done.
    """

    node_id: str
    wave: int
    position: int = 0
    attempt: int = 1
    open: Intended | None = None
    doubtful: bool = False
    asked: Asked | None = None
    bad: Ended | None = None
    touched: list[str] = field(default_factory=list)
    taking_back: bool = False
    undo: list[str] | None = None
    undo_attempt: int = 1
    undo_failed: bool = False
    ended: list[Ended] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        """Whether anything was done on it, or tried."""
        return self.open is not None or bool(self.ended)


class RunState:
    """The state of a run, which `apply` brings from one record to the next."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        waves = {name: wave.number for wave in plan.waves for name in wave.node_ids}
        self.nodes = {name: NodeState(name, number) for name, number in waves.items()}
        self.steps: dict[str, Step] = {step.id: step for step in plan.steps}
        self.mates = _mates(plan)
        self.opened: Opened | None = None
        self.wave = 0
        self.judged: dict[int, WaveJudged] = {}
        self.held: Held | None = None
        self.closed: Closed | None = None
        self.forgiven: set[str] = set()
        self.accepted_waves: set[int] = set()
        self.head: JournalEntry | None = None
        self._of_run: list[JournalEntry] = []
        self._of_nodes: dict[str, list[JournalEntry]] = {}

    def apply(self, entry: JournalEntry) -> None:
        """Take in the next record."""
        _APPLY[type(entry.event)](self, entry.event)
        if isinstance(entry.event, Act):
            self._of_nodes.setdefault(entry.event.node_id, []).append(entry)
        else:
            self._of_run.append(entry)
        self.head = entry

    @property
    def last_at(self) -> datetime | None:
        """When the last record was written; None before the first."""
        return self.head.at if self.head is not None else None

    @property
    def seq(self) -> int:
        """The number of the last record, 0 before the first."""
        return self.head.seq if self.head is not None else 0

    def last_at_of(self, node_id: str) -> datetime | None:
        """When the last record of a node was written; None before the first."""
        records = self.records_of(node_id)
        return records[-1].at if records else None

    def records_of(self, node_id: str) -> list[JournalEntry]:
        """The records that are of one node, oldest first."""
        return self._of_nodes.get(node_id, [])

    def records_about(self, node_id: str) -> list[JournalEntry]:
        """The records that are of one node, or of the whole run, oldest first."""
        return sorted([*self._of_run, *self.records_of(node_id)], key=lambda entry: entry.seq)

    def steps_left(self, node: NodeState) -> Step | None:
        """The step that is next on a node; None when it has come to its end."""
        for step in self.plan.steps[node.position :]:
            if node.bad is None or step.always:
                return step
        return None

    def waits_for_mate(self, node: NodeState) -> bool:
        """Whether the node that is cabled to it has not come as far: a unit goes from step to step together.

        One that did not come out well, or is done, is not waited for.
        """
        others = (self.nodes[name] for name in self.mates.get(node.node_id, ()))
        return any(one.bad is None and one.position < node.position and not self.finished(one) for one in others)

    def mate_under_way(self, node: NodeState) -> bool:
        """Whether the node that is cabled to it has begun."""
        return any(self.nodes[name].begun for name in self.mates.get(node.node_id, ()))

    def half_of_unit(self, node: NodeState) -> bool:
        """Whether it has not begun, and the node that is cabled to it has, and comes out well so far."""
        others = (self.nodes[name] for name in self.mates.get(node.node_id, ()))
        return not node.begun and any(one.begun and one.bad is None and one.undo is None for one in others)

    def finished(self, node: NodeState) -> bool:
        """Whether nothing is left to do on a node, and nothing is open."""
        if node.open is not None or node.asked is not None:
            return False
        return not node.undo if node.undo is not None else node.begun and self.steps_left(node) is None

    def status(self, node: NodeState) -> NodeStatus:
        """How a node stands."""
        if node.asked is not None:
            return NodeStatus.ASKING
        if node.open is not None:
            return NodeStatus.IN_DOUBT if node.doubtful else NodeStatus.UNDER_WAY
        if not node.begun:
            return NodeStatus.WAITING
        if not self.finished(node):
            return NodeStatus.UNDER_WAY
        if node.undo is not None:
            return NodeStatus.ROLLBACK_FAILED if node.undo_failed else NodeStatus.ROLLED_BACK
        return NodeStatus(node.bad.result.value) if node.bad else NodeStatus.DONE

    def in_wave(self, number: int) -> list[NodeState]:
        """The nodes of a wave, in the order of the plan."""
        if not 1 <= number <= len(self.plan.waves):
            return []
        return [self.nodes[name] for name in self.plan.waves[number - 1].node_ids]

    def bad_nodes(self, number: int | None = None) -> list[NodeState]:
        """The nodes whose first bad end has not been forgiven: of a wave, or all."""
        nodes = self.nodes.values() if number is None else self.in_wave(number)
        return [node for node in nodes if node.bad is not None and node.node_id not in self.forgiven]

    # One method for each kind of record.

    def _opened(self, event: Opened) -> None:
        self.opened = event

    def _claimed(self, _: Claimed) -> None:
        for node in self.nodes.values():
            node.doubtful = node.open is not None and node.asked is None

    def _wave_began(self, event: WaveBegan) -> None:
        self.wave = event.wave

    def _wave_judged(self, event: WaveJudged) -> None:
        self.judged[event.wave] = event

    def _intended(self, event: Intended) -> None:
        node = self.nodes[event.node_id]
        node.open, node.doubtful = event, False

    def _asked(self, event: Asked) -> None:
        node = self.nodes[event.node_id]
        node.asked, node.doubtful = event, False

    def _answered(self, event: Answered) -> None:
        node = self.nodes[event.node_id]
        node.asked = None
        if event.answer is Answer.REPEAT:
            node.open, node.doubtful = None, False
            if event.undoing:
                node.undo_attempt += 1
            else:
                node.attempt += 1
            if node.taking_back and node.undo is None:
                node.undo = node.touched[::-1]  # it is not done again: what was done before it goes back
            return
        result = Result.DONE if event.answer is Answer.DONE else Result.FAILED
        words = f"{event.by} says: {event.answer.value}, {event.why}"
        self._ended(_ended_by_word(event, result, words))

    def _ended(self, event: Ended) -> None:
        node = self.nodes[event.node_id]
        intended = node.open
        node.open, node.doubtful = None, False
        node.ended.append(event)
        if event.undoing:
            self._undone(node, event)
            return
        step = self.steps[event.step]
        if step.undo and intended is not None and event.result is not Result.REFUSED:
            node.touched.append(step.id)
        if event.result is not Result.DONE and node.bad is None:
            node.bad = event
        node.position, node.attempt = self.plan.steps.index(step) + 1, 1
        if node.taking_back:
            node.undo = node.touched[::-1]

    @staticmethod
    def _undone(node: NodeState, event: Ended) -> None:
        assert node.undo is not None  # noqa: S101 - nothing is taken back before a record says so
        node.undo.remove(event.step)
        node.undo_attempt = 1
        if event.result is not Result.DONE:
            node.undo_failed, node.undo = True, []

    def _held(self, event: Held) -> None:
        self.held = event
        for name in event.undo:
            node = self.nodes[name]
            node.taking_back = True
            if node.undo is None and node.open is None:
                node.undo = node.touched[::-1]

    def _released(self, _event: Released) -> None:
        self.held = None
        self.forgiven |= {node.node_id for node in self.nodes.values() if node.bad is not None}
        self.accepted_waves |= self.judged.keys()

    def _closed(self, event: Closed) -> None:
        self.closed = event


def _ended_by_word(event: Act, result: Result, words: str) -> Ended:
    return Ended(**event.bare().model_dump(), result=result, summary=words[:1000], duration_ms=0)


_APPLY: dict[type, Callable[[RunState, Any], None]] = {
    Opened: RunState._opened,  # noqa: SLF001 - a table of this class's own methods
    Claimed: RunState._claimed,  # noqa: SLF001
    WaveBegan: RunState._wave_began,  # noqa: SLF001
    WaveJudged: RunState._wave_judged,  # noqa: SLF001
    Intended: RunState._intended,  # noqa: SLF001
    Ended: RunState._ended,  # noqa: SLF001
    Asked: RunState._asked,  # noqa: SLF001
    Answered: RunState._answered,  # noqa: SLF001
    Held: RunState._held,  # noqa: SLF001
    Released: RunState._released,  # noqa: SLF001
    Closed: RunState._closed,  # noqa: SLF001
}


def _mates(plan: Plan) -> dict[str, list[str]]:
    """The other nodes of the unit of each, where units are whole."""
    units: dict[str, list[str]] = {}
    for node in plan.nodes if plan.whole_units else ():
        if node.unit is not None:
            units.setdefault(node.unit, []).append(node.node_id)
    return {name: [one for one in names if one != name] for names in units.values() for name in names}


def fold(plan: Plan, entries: Iterable[JournalEntry]) -> RunState:
    """The state that a plan and its journal make."""
    state = RunState(plan)
    for entry in entries:
        state.apply(entry)
    return state


def outcome_of(state: RunState) -> Outcome:
    """How a run that has nothing left to do came out."""
    well = all(state.status(node) is NodeStatus.DONE for node in state.nodes.values())
    return Outcome.DONE if well else Outcome.FAILED
