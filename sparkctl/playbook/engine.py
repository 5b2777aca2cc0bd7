"""What is to be done next in a run: a function of its plan, its journal, the moment, and the calendar. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sparkctl.model.journal import Intended, Outcome
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import OnFailure, Step
from sparkctl.playbook.calendar import Calendar
from sparkctl.playbook.guard import over_budget
from sparkctl.playbook.state import NodeState, NodeStatus, RunState, outcome_of


@dataclass(frozen=True, slots=True)
class Start:
    """Journal the intent of a step on a node, and do it."""

    node_id: str
    step: Step
    attempt: int
    undoing: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """An intent of an earlier process is in doubt: see what became of it."""

    node_id: str
    step: Step
    intended: Intended


@dataclass(frozen=True, slots=True)
class BeginWave:
    """Let a wave begin."""

    wave: int


@dataclass(frozen=True, slots=True)
class JudgeWave:
    """Hold a wave that has ended and soaked against the control nodes."""

    wave: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Let nothing more begin, and take back what is named."""

    why: str
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Close:
    """The run is over."""

    outcome: Outcome
    summary: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before a moment, or (None) before a person does something; `why` is for people."""

    until: datetime | None
    why: str


Action = Start | Look | BeginWave | JudgeWave | Hold | Close | Wait


def next_actions(state: RunState, now: datetime, calendar: Calendar) -> list[Action]:
    """All that may be done now, at the same time. Never empty until the run is closed, and then empty.

    A clock that was set back does not undo what has passed: no moment before the last record counts.
    """
    if state.closed is not None:
        return []
    now = now if state.last_at is None else max(now, state.last_at)
    actions: list[Action] = [*_looks(state), *_taking_back(state)]
    if state.held is not None:
        return [*actions, *_what_goes_on(state)] or [Wait(None, state.held.why)]
    if actions:
        return actions  # what is in doubt is known before anything else begins
    why = over_budget(state)
    if why is not None:
        return [Hold(why, _to_undo(state))]
    return list(_go_on(state, now, calendar))


def _looks(state: RunState) -> Iterator[Action]:
    for node in state.nodes.values():
        if node.open is not None and node.doubtful:
            yield Look(node.node_id, state.steps[node.open.step], node.open)


def _taking_back(state: RunState) -> Iterator[Action]:
    for node in state.nodes.values():
        if node.undo and node.open is None and node.asked is None:
            yield Start(node.node_id, state.steps[node.undo[0]], node.undo_attempt, undoing=True)


def _to_undo(state: RunState) -> tuple[str, ...]:
    """The nodes of the wave that is stopped, where they are to be taken back; a step that is under way ends first."""
    if state.plan.on_failure is not OnFailure.ROLLBACK:
        return ()
    return tuple(node.node_id for node in state.in_wave(state.wave) if node.begun and not node.taking_back)


def _what_goes_on(state: RunState) -> Iterator[Action]:
    """With `stop-new`, nodes under way come to their end, each with the one that is cabled to it."""
    if state.plan.on_failure is OnFailure.STOP_NEW:
        for node in state.nodes.values():
            if (node.begun or state.half_of_unit(node)) and node.undo is None:
                yield from _next_step(state, node)


def _go_on(state: RunState, now: datetime, calendar: Calendar) -> Iterator[Action]:
    if state.wave == 0:
        yield BeginWave(1)
        return
    nodes = state.in_wave(state.wave)
    if not all(state.finished(node) for node in nodes):
        yield from _within_wave(state, nodes, now, calendar)
    else:
        yield _after_wave(state, nodes, now)


def _within_wave(state: RunState, nodes: list[NodeState], now: datetime, calendar: Calendar) -> Iterator[Action]:
    under_way = [node for node in nodes if node.begun and not state.finished(node)]
    found = [action for node in under_way for action in _next_step(state, node)]
    waiting = [node for node in nodes if not node.begun]
    room = state.plan.at_once - len(under_way)
    mates = [node for node in waiting if state.mate_under_way(node)]
    others = [node for node in waiting if not state.mate_under_way(node)]
    shut = _shut(state.plan, now, calendar) if waiting else None
    # A unit has begun with its first node: the other one neither waits for a window nor lets that one wait.
    halves = [node for node in mates if state.half_of_unit(node)]
    begin = halves if shut is not None else [*mates, *others[: max(room - len(mates), 0)]]
    found += [action for node in begin for action in _next_step(state, node)]
    if found:
        yield from found
    elif shut is not None and not under_way:
        yield shut
    else:
        asks = any(node.asked is not None for node in under_way)
        yield Wait(None, "a person is asked" if asks else "what is under way comes to its end")


def _next_step(state: RunState, node: NodeState) -> Iterator[Action]:
    if node.open is not None or node.asked is not None or state.waits_for_mate(node):
        return
    step = state.steps_left(node)
    if step is not None:
        yield Start(node.node_id, step, node.attempt)


def _shut(plan: Plan, now: datetime, calendar: Calendar) -> Action | None:
    """Why no further node may begin now; None when one may."""
    if now >= plan.expires_at:
        return Hold(
            f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC; make another for the nodes that are left"
        )
    if not plan.windowed or calendar.fits(now, plan.node_s):
        return None
    freeze = calendar.shut_at(now)
    why = (
        f"the freeze {freeze.name} ({freeze.reason})" if freeze else "no window is open that is long enough for a node"
    )
    return Wait(calendar.next_fit(now, plan.node_s), why)


def _after_wave(state: RunState, nodes: list[NodeState], now: datetime) -> Action:
    if state.wave == len(state.plan.waves):
        return Close(outcome_of(state), _summary(state))
    judged = state.judged.get(state.wave)
    if judged is not None:
        if judged.promoted or state.wave in state.accepted_waves:
            return BeginWave(state.wave + 1)
        return Hold(f"wave {state.wave} is not good enough: {judged.summary}", _to_undo(state))
    soaked = _ended_at(state, nodes, now) + timedelta(seconds=state.plan.soak_s)
    return JudgeWave(state.wave) if now >= soaked else Wait(soaked, f"wave {state.wave} soaks")


def _ended_at(state: RunState, nodes: list[NodeState], now: datetime) -> datetime:
    moments = [moment for node in nodes if (moment := state.last_at_of(node.node_id)) is not None]
    return max(moments, default=state.last_at or now)


def _summary(state: RunState) -> str:
    well = sum(state.status(node) is NodeStatus.DONE for node in state.nodes.values())
    return f"{well} of {len(state.nodes)} nodes came out well"
