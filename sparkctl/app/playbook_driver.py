"""Drive a run: ask the engine what is to be done, journal each intent before its act, and its end after it."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sparkctl.model.journal import (
    Act,
    Asked,
    Closed,
    Ended,
    Event,
    Held,
    Intended,
    JournalEntry,
    Result,
    WaveBegan,
    WaveJudged,
    act_id,
)
from sparkctl.playbook.calendar import Calendar
from sparkctl.playbook.engine import Action, BeginWave, Close, Hold, JudgeWave, Look, Start, Wait, next_actions
from sparkctl.playbook.guard import Verdict
from sparkctl.playbook.state import RunState
from sparkctl.store.entries import ClaimedRun
from sparkctl.store.journal import Journals, Tell, nobody

LEASE = timedelta(seconds=60)
RENEW_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a step. `texts` are documents to keep, which the record names by their digests."""

    result: Result
    summary: str
    reason: str | None = None
    argv: tuple[str, ...] = ()
    unit: str | None = None
    exit_status: int | None = None
    output_sha256: str | None = None
    duration_ms: int = 0
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A step may be done: on this boot of the node, where it depends on one. `texts` are documents that say so."""

    boot_id: str | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Only a person can say."""

    words: str


class NotBegun:
    """An intent of which the node knows nothing: it was never begun."""


NOT_BEGUN = NotBegun()


class Interrupted(Exception):
    """The run is to stop: what is under way is in doubt, and the next process looks."""


class Doing(Protocol):
    """Does steps. Everything that may go wrong on a node is in what comes back; Interrupted when the run is to stop."""

    async def prepare(self, start: Start, act: Act) -> Ready | Came:
        """See whether a step may be done, without doing it; Came where there is nothing left to do, or it must not."""

    async def do(self, start: Start, intended: Intended, fence: int) -> Came | Question:
        """Do it, and wait for its end."""

    async def look(self, look: Look, fence: int) -> Came | Question | NotBegun:
        """What became of an intent of an earlier process."""

    async def judge(self, state: RunState, wave: int) -> tuple[Verdict, tuple[str, ...]]:
        """Hold a wave against the control nodes; with the documents that this rests on."""


@dataclass
class Driver:
    """One process that drives one run. `clock` gives the moment in UTC; `changed` is told of every record."""

    journals: Journals
    claim: ClaimedRun
    state: RunState
    doing: Doing
    calendar: Calendar
    clock: Callable[[], datetime]
    changed: Callable[[JournalEntry], None]
    patient: bool = False
    tell: Tell = nobody
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> Wait | None:
        """Go on until the run is over (None), is to stop, or only time or a person helps.

        A run that is `patient` waits for windows, too. Raises StoreError and RefusedError when the journal cannot be
        written: what was intended and not written down was not done.
        """
        renewing = asyncio.create_task(self._renew())
        stopping = asyncio.create_task(self.stop.wait())
        try:
            return await self._go(stopping, renewing)
        finally:
            await _ended([*self._running.values(), renewing, stopping])

    async def _go(self, stopping: asyncio.Task[bool], renewing: asyncio.Task[None]) -> Wait | None:
        while self.state.closed is None:
            waits = await self._begin(next_actions(self.state, self.clock(), self.calendar))
            if self.stop.is_set():
                return Wait(None, "it was stopped")
            if self.state.closed is not None or (waits is None and not self._running):
                continue
            until = None
            if not self._running and waits is not None:
                soaks = waits.until is not None and self._soaking()
                if waits.until is None or not (soaks or self.patient):
                    return waits
                until = max((waits.until - self.clock()).total_seconds(), 0.01)
            await asyncio.wait(
                {*self._running.values(), stopping, renewing}, timeout=until, return_when=asyncio.FIRST_COMPLETED
            )
            self._reap(renewing)
        return None

    def _soaking(self) -> bool:
        return all(self.state.finished(node) for node in self.state.in_wave(self.state.wave)) and not self.state.held

    async def _begin(self, actions: Sequence[Action]) -> Wait | None:
        """Begin what is not under way yet; what the run must wait for, when there is nothing else."""
        waits = None
        for action in actions:
            if isinstance(action, Wait):
                waits = action
            elif isinstance(action, Start | Look):
                if action.node_id not in self._running and not self.stop.is_set():
                    self._running[action.node_id] = asyncio.create_task(self._on_node(action))
            elif isinstance(action, JudgeWave):
                if "" not in self._running:
                    self._running[""] = asyncio.create_task(self._judge(action))
            else:
                await self._write(_event_of(action), close=isinstance(action, Close))
        return waits

    def _reap(self, renewing: asyncio.Task[None]) -> None:
        """Let go of tasks that have ended, and raise what ended them badly."""
        for name, task in list(self._running.items()):
            if task.done():
                del self._running[name]
                with contextlib.suppress(Interrupted):
                    task.result()
        if renewing.done():
            renewing.result()

    async def _on_node(self, action: Start | Look) -> None:
        if isinstance(action, Look):
            await self._take_up(action)
            return
        act = Act(
            node_id=action.node_id,
            step=action.step.id,
            attempt=action.attempt,
            undoing=action.undoing,
            act=act_id(self.claim.run_id, action.node_id, action.step.id, action.attempt, undoing=action.undoing),
        )
        ready = await self.doing.prepare(action, act)
        if isinstance(ready, Came):
            await self._end(act, ready)
            return
        intended = Intended(**act.model_dump(), boot_id=ready.boot_id, documents=digests(ready.texts))
        await self._write(intended, texts=ready.texts)
        await self._came(act, await self.doing.do(action, intended, self._fence(act)))

    async def _take_up(self, look: Look) -> None:
        intended = look.intended
        act = intended.bare()
        found = await self.doing.look(look, self._fence(act))
        if isinstance(found, NotBegun):
            start = Start(act.node_id, look.step, act.attempt, act.undoing)
            found = await self.doing.do(start, intended, self._fence(act))
        await self._came(act, found, doubted=True)

    async def _came(self, act: Act, found: Came | Question, *, doubted: bool = False) -> None:
        if isinstance(found, Question):
            await self._write(Asked(**act.model_dump(), question=found.words))
        else:
            await self._end(act, found, doubted=doubted)

    async def _end(self, act: Act, came: Came, *, doubted: bool = False) -> None:
        ended = Ended(
            **act.model_dump(),
            result=came.result,
            reason=came.reason,
            summary=came.summary,
            argv=list(came.argv),
            unit=came.unit,
            exit_status=came.exit_status,
            output_sha256=came.output_sha256,
            duration_ms=came.duration_ms,
            observed_after_doubt=doubted,
            documents=digests(came.texts),
        )
        await self._write(ended, texts=came.texts)

    async def _judge(self, action: JudgeWave) -> None:
        verdict, texts = await self.doing.judge(self.state, action.wave)
        judged = WaveJudged(
            wave=action.wave, promoted=verdict.promoted, summary=verdict.summary, documents=digests(texts)
        )
        await self._write(judged, texts=texts)

    def _fence(self, act: Act) -> int:
        return self.claim.node_fences[act.node_id]

    async def _write(self, event: Event, *, texts: Sequence[str] = (), close: bool = False) -> None:
        async with self._writing:
            now = self.clock()
            entries = await asyncio.to_thread(
                self.journals.append,
                self.claim,
                [event],
                now=now,
                until=now + LEASE,
                texts=texts,
                close=close,
                tell=self.tell,
            )
            for entry in entries:
                self.state.apply(entry)
                self.changed(entry)

    async def _renew(self) -> None:
        """Keep the run while nothing is written."""
        while True:
            await asyncio.sleep(RENEW_S)
            async with self._writing:
                now = self.clock()
                await asyncio.to_thread(self.journals.append, self.claim, [], now=now, until=now + LEASE)


def _event_of(action: Action) -> Event:
    if isinstance(action, BeginWave):
        return WaveBegan(wave=action.wave)
    if isinstance(action, Hold):
        return Held(why=action.why, undo=list(action.undo))
    assert isinstance(action, Close)  # noqa: S101 - the others are not written as they are
    return Closed(outcome=action.outcome, summary=action.summary)


def digests(texts: Sequence[str]) -> list[str]:
    """The digests under which documents are kept."""
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


async def _ended(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)
