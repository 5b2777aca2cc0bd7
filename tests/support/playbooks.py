"""Plans of playbooks, and a world of nodes that outlives the process that drives a run."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkctl.app.holder import has_ended, this_process
from sparkctl.app.playbook_driver import LEASE, NOT_BEGUN, Came, Driver, NotBegun, Question, Ready
from sparkctl.model.journal import Act, Claimed, Event, Intended, JournalEntry, Opened, Result
from sparkctl.model.lifecycle import Phase
from sparkctl.model.plan import Effect, Plan, PlannedNode, Wave
from sparkctl.model.playbook import Budget, Fidelity, OnFailure, Risk, Step
from sparkctl.playbook.calendar import Calendar
from sparkctl.playbook.engine import Look, Start, Wait
from sparkctl.playbook.guard import Verdict
from sparkctl.playbook.state import RunState, fold
from sparkctl.store.store import Store

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
STEPS = ("drain", "update", "check")


def step(name: str, *, undo: bool = False, always: bool = False, do: str = "control.pretend") -> Step:
    return Step(id=name, do=do, title=name, within_s=600, undo=undo, always=always)


def plan_of(
    nodes: int | Sequence[str] = 3,
    *,
    steps: Sequence[Step] | None = None,
    waves: Sequence[Sequence[str]] | None = None,
    control: Sequence[str] = (),
    budget: Budget | None = None,
    on_failure: OnFailure = OnFailure.HOLD,
    soak_s: int = 0,
    at_once: int = 10,
    windowed: bool = False,
    run_id: str = "r1",
    estimates: dict[str, int] | None = None,
    approvals: int = 0,
    risk: Risk = Risk.DISRUPTIVE,
    units: dict[str, str] | None = None,
) -> Plan:
    """A plan over nodes n1, n2 and so on, in one wave if nothing else is said."""
    names = [f"n{number}" for number in range(1, nodes + 1)] if isinstance(nodes, int) else list(nodes)
    wanted = list(steps) if steps is not None else [step(name, undo=name != "check") for name in STEPS]
    made = [Wave(number=number, node_ids=list(each)) for number, each in enumerate(waves or [names], 1)]
    return Plan(
        run_id=run_id,
        playbook="maintenance/pretend",
        playbook_sha256="0" * 64,
        title="Pretend",
        phase=Phase.MAINTENANCE,
        risk=risk,
        selector="all",
        parameters={},
        planned_at=NOON,
        expires_at=NOON + timedelta(days=1),
        planned_by="tests",
        approvals_needed=approvals,
        steps=wanted,
        waves=made,
        control=list(control),
        soak_s=soak_s,
        at_once=at_once,
        budget=budget or Budget(wave=0, total=0),
        on_failure=on_failure,
        windowed=windowed,
        whole_units=True,
        estimates=estimates or {},
        programs={},
        nodes=[
            PlannedNode(
                node_id=name,
                unit=(units or {}).get(name),
                serial=None,
                boot_id=None,
                state=None,
                simulated=True,
                effects=[Effect(step=one.id, fidelity=Fidelity.EXACT, summary="nothing") for one in wanted],
            )
            for name in names
        ],
        left_out=[],
    )


class Told:
    """A journal in memory: events in, the state that follows from them out."""

    def __init__(self, plan: Plan, at: datetime = NOON) -> None:
        self.state, self.at = RunState(plan), at
        self.say(Opened(plan_sha256=plan.sha256, approved_by=[]), self.claim())

    def claim(self) -> Claimed:
        return Claimed(holder="tests", node_fences=dict.fromkeys(self.state.nodes, 1))

    def say(self, *events: Event, after: timedelta = timedelta(seconds=1)) -> RunState:
        for event in events:
            self.at += after
            self.state.apply(
                JournalEntry(
                    run_id=self.state.plan.run_id,
                    seq=self.state.seq + 1,
                    at=self.at,
                    fence=1,
                    previous="0" * 64,
                    event=event,
                )
            )
        return self.state


@dataclass
class World:
    """Nodes in a folder. An act is a file there: made when it begins, so that beginning it twice is seen.

    `bad` says how a step of a node ends, by `node/step`, where it does not end well; `seconds` is how long acts take.
    """

    folder: Path
    bad: dict[str, Result] = field(default_factory=dict)
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=lambda: Verdict(True, "good"))

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    async def prepare(self, start: Start, act: Act) -> Ready | Came:
        await asyncio.sleep(0)
        if self.bad.get(f"{act.node_id}/{act.step}") is Result.REFUSED:
            return Came(result=Result.REFUSED, reason="precheck", summary="it must not be done")
        return Ready("boot")

    async def do(self, start: Start, intended: Intended, fence: int) -> Came | Question:
        self._begin(intended)
        await asyncio.sleep(self.seconds)
        return self._end(intended)

    async def look(self, look: Look, fence: int) -> Came | Question | NotBegun:
        await asyncio.sleep(0)
        return self._end(look.intended) if (self.folder / look.intended.act).exists() else NOT_BEGUN

    async def judge(self, state: RunState, wave: int) -> tuple[Verdict, tuple[str, ...]]:
        return self.verdict, ()

    def _begin(self, act: Act) -> None:
        """As a node does it: the unit of an act starts once. Whoever begins it again is noted."""
        try:
            os.close(os.open(self.folder / act.act, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            (self.folder / f"again-{act.act}").touch()

    def _end(self, act: Act) -> Came:
        word = f"{act.node_id}/{act.step}" + ("/undo" if act.undoing else "")
        return Came(result=self.bad.get(word, Result.DONE), summary="it was done")

    @property
    def acts(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if not path.name.startswith("again-")}

    @property
    def repeated(self) -> list[str]:
        return [path.name for path in self.folder.glob("again-*")]


def drive_world(
    store: Store,
    plan: Plan,
    world: World,
    *,
    changed: Callable[[JournalEntry], None] = lambda _: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    calendar: Calendar | None = None,
    patient: bool = False,
) -> tuple[RunState, Wait | None]:
    """Claim a run, and drive it as `playbook run` does."""
    now = clock()
    names = [node.node_id for node in plan.nodes]
    claim = store.journals.claim(plan.run_id, names, this_process(), now=now, until=now + LEASE, gone=has_ended)
    state = fold(plan, store.journals.entries(plan.run_id))
    events: list[Event] = [] if state.opened else [Opened(plan_sha256=plan.sha256, approved_by=[])]
    events.append(Claimed(holder="tests", node_fences=dict(claim.node_fences)))
    for entry in store.journals.append(claim, events, now=now, until=now + LEASE):
        state.apply(entry)

    async def run() -> Wait | None:
        driver = Driver(
            journals=store.journals,
            claim=claim,
            state=state,
            doing=world,
            calendar=calendar or Calendar(),
            clock=clock,
            changed=changed,
            patient=patient,
        )
        return await driver.run()

    try:
        return state, asyncio.run(run())
    finally:
        store.journals.let_go(claim)
