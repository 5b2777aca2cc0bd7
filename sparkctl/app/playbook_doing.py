"""Does the steps of a playbook: judging, waiting, asking people, running commands, and acts of controllers."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sparkctl.app.places import Places
from sparkctl.app.playbook_command import run_command
from sparkctl.app.playbook_control import Control, Controls
from sparkctl.app.playbook_driver import NOT_BEGUN, Came, NotBegun, Question, Ready
from sparkctl.app.playbook_life import LifeMove, RunFiles
from sparkctl.app.playbook_visits import Visits, came_of_failure, unreachable
from sparkctl.executor.question import HEALTH
from sparkctl.model.control import ControlData, ControlEnvelope, ControlPhase
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.health import HealthData
from sparkctl.model.journal import Act, Ended, Intended, Result
from sparkctl.model.lifecycle import LifecycleState
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Risk, Step, with_parameters
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Status
from sparkctl.playbook.engine import Look, Start
from sparkctl.playbook.guard import Statuses, Verdict, failing, promotion
from sparkctl.playbook.state import RunState
from sparkctl.playbook.verbs import DOCUMENTS, FOLDER, controller_of, is_run, named, visits_nodes
from sparkctl.store.journal import Journals

JUDGE = "judge"
AGAIN_S = 5.0
"""How long after a visit without an answer a node is asked again how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDoing:
    """Does the steps of one plan on the nodes of a fleet."""

    plan: Plan
    state: RunState
    visits: Visits
    places: Places
    files: RunFiles
    journals: Journals
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who has it may begin a run: the others need not start a process again and again to be told that there is one."""

    async def prepare(self, start: Start, act: Act) -> Ready | Came:
        """See whether the step may be done. Only controllers can tell beforehand."""
        if controller_of(start.step.do) is None:
            return Ready()
        return await Controls(self.visits).prepare(await self._control(start.step, act))

    async def do(self, start: Start, intended: Intended, fence: int) -> Came | Question:
        """Do the step, and wait for its end."""
        step = start.step
        if controller_of(step.do) is not None:
            return await Controls(self.visits).do(await self._control(step, intended), intended, fence)
        options = self._options(step, start.node_id)
        if step.do == "ask":
            return Question(str(options["question"]))
        if step.do == "wait":
            return await _let_pass(int(options["seconds"]))
        if step.do == JUDGE:
            return await self._judge_node(start.node_id, options, step.within_s)
        await asyncio.to_thread(self._write_record, start.node_id)
        if step.do == "move":
            return await asyncio.to_thread(self._life_move(start.node_id, options).make)
        accepted = frozenset(options.get("accepts", ()))
        words = [str(word) for word in options["command"]]
        async with self.turn if is_run(words) else contextlib.nullcontext():
            return await run_command(words, start.node_id, self.places, step.within_s, accepted)

    async def look(self, look: Look, fence: int) -> Came | Question | NotBegun:
        """What became of the step: what only reads, or may be done twice, was as good as never begun."""
        if controller_of(look.step.do) is None:
            return NOT_BEGUN
        return await Controls(self.visits).look(await self._control(look.step, look.intended), look.intended, fence)

    async def judge(self, state: RunState, wave: int) -> tuple[Verdict, tuple[str, ...]]:
        """Hold the nodes of a wave that came out well against the control nodes, which nobody has touched yet."""
        treated = [node.node_id for node in state.in_wave(wave) if node.bad is None and not node.taking_back]
        if self.plan.risk is Risk.READ_ONLY or not treated:
            return Verdict(True, "nothing was changed on any node"), ()
        if not visits_nodes(self.plan.steps):
            return Verdict(True, "no node was visited"), ()
        control = [name for name in self.plan.control if not state.nodes[name].begun]
        records = await asyncio.gather(*(self.visits.ask(name, "health", HEALTH) for name in [*treated, *control]))
        found = {record.node_id: _statuses(record) for record in records}
        before = {name: self._failing_before(state, name) for name in treated}
        verdict = promotion(_of(treated, found), _of(control, found), before)
        return verdict, tuple(record.model_dump_json() for record in records)

    async def _control(self, step: Step, act: Act) -> Control:
        name = controller_of(step.do)
        assert name is not None  # noqa: S101 - only called for such steps
        parameters = self._options(step, act.node_id)
        if act.undoing:
            parameters |= {"before": await asyncio.to_thread(self._observed_before, act)}
        return Control(name, parameters, step.within_s, act, undoing=act.undoing)

    def _observed_before(self, act: Act) -> dict[str, Any]:
        """What the controller saw on the node before it changed it, in the newest act of this step.

        Where the answer of the node to that was lost, what it had said right before is as good.
        """
        of_step = (act.node_id, act.step, False)
        for entry in reversed(self.state.records_of(act.node_id)):
            event = entry.event
            if isinstance(event, Ended | Intended) and (event.node_id, event.step, event.undoing) == of_step:
                said = [self._said(digest) for digest in event.documents]
                phases = (ControlPhase.APPLY, ControlPhase.PRECHECK)
                seen = [dict(one.observed) for one in said if one is not None and one.observed and one.phase in phases]
                if seen or isinstance(event, Intended):
                    return seen[0] if seen else {}
        return {}

    def _said(self, digest: str) -> ControlData | None:
        """What a controller said, where a document is that."""
        envelope = RunRecord.model_validate_json(self.journals.document(digest) or b"null").envelope
        return envelope.data if isinstance(envelope, ControlEnvelope) else None

    def _options(self, step: Step, node_id: str) -> dict[str, Any]:
        paths = self.files.documents(node_id)
        own = named(self.plan.run_id, node_id) | {FOLDER: str(self.files.of_node(node_id))}
        files = {parameter: str(paths[document]) for document, parameter in DOCUMENTS.items()}
        return with_parameters(step.options, self.plan.parameters | own | files)

    def _write_record(self, node_id: str) -> None:
        self.files.write_record(self.state, node_id)

    def _life_move(self, node_id: str, options: dict[str, Any]) -> LifeMove:
        paths = self.files.documents(node_id)
        return LifeMove(
            places=self.places,
            run_id=self.plan.run_id,
            node_id=node_id,
            to=LifecycleState(options["to"]),
            reason=str(options["reason"]),
            files={kind: paths[document] for kind, document in options.get("evidence", {}).items()},
            approved_by=list(self.state.opened.approved_by) if self.state.opened is not None else [],
            plan_file=self.files.plan,
        )

    async def _judge_node(self, node_id: str, options: dict[str, Any], within_s: float) -> Came:
        """Judge a node; one that does not answer is asked again for as long as the step may take."""
        ends = time.monotonic() + within_s
        while True:
            record = await self.visits.ask(node_id, "health", HEALTH)
            failed = record.failure is not None and unreachable(record.failure)
            if not failed or time.monotonic() + AGAIN_S > ends:
                break
            await asyncio.sleep(AGAIN_S)
        data = _health(record)
        if data is None:
            return came_of_failure(record)
        result, reason, summary = judged(data, options.get("fail_on", "fail"), options.get("ignore", ()))
        text = record.model_dump_json()
        return Came(result=result, reason=reason, summary=summary, duration_ms=record.duration_ms, texts=(text,))

    def _failing_before(self, state: RunState, node_id: str) -> frozenset[str]:
        """The checks that failed on a node when this run judged it first; none where it never did."""
        for ended in state.nodes[node_id].ended:
            if state.steps[ended.step].do == JUDGE and ended.documents:
                text = self.journals.document(ended.documents[0])
                statuses = _statuses(RunRecord.model_validate_json(text)) if text else None
                return frozenset(failing(statuses or {}))
        return frozenset()


def judged(data: HealthData, fail_on: str, ignored: Iterable[str]) -> tuple[Result, str | None, str]:
    """How a node stands by its findings, why, and in words. `ignored` are patterns of checks."""
    patterns = list(ignored)
    findings = [one for one in data.findings if not any(fnmatchcase(one.check, pattern) for pattern in patterns)]
    bad = {Status.FAIL} if fail_on == "fail" else {Status.FAIL, Status.WARN}
    worse = [one for one in findings if one.status in bad]
    if worse:
        first = worse[0]
        more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
        return Result.FAILED, "findings", f"{first.check}: {first.summary}{more}"[:1000]
    unknown = [one.check for one in findings if one.required and one.status is Status.UNKNOWN]
    if unknown:
        return Result.UNKNOWN, "unjudged", f"required checks could not be judged: {', '.join(unknown[:5])}"
    return (
        Result.DONE,
        None,
        f"{len(findings)} checks, none of them {'fails' if fail_on == 'fail' else 'warns or fails'}",
    )


async def _let_pass(seconds: int) -> Came:
    began = time.monotonic()
    await asyncio.sleep(seconds)
    spent = round((time.monotonic() - began) * 1000)
    return Came(result=Result.DONE, summary=f"{seconds} s have passed", duration_ms=spent)


def _health(record: RunRecord) -> HealthData | None:
    return record.envelope.data if isinstance(record.envelope, HealthEnvelope) else None


def _statuses(record: RunRecord) -> Statuses | None:
    data = _health(record)
    return None if data is None else {one.check: one.status for one in data.findings}


def _of(names: Iterable[str], found: Mapping[str, Statuses | None]) -> dict[str, Statuses | None]:
    return {name: found[name] for name in names}
