"""Acts on nodes: a controller is checked, started in a unit of its own, watched to its end, and checked again."""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

from sparkctl.app.playbook_driver import NOT_BEGUN, Came, NotBegun, Question, Ready
from sparkctl.app.playbook_visits import Visits, came_of_failure, cut_off, unreachable
from sparkctl.executor import question
from sparkctl.model.control import ControlData, ControlPhase, ControlResult
from sparkctl.model.journal import Act, Intended, Result
from sparkctl.model.printable import clip
from sparkctl.model.run import RunRecord

NO_BOOT = "00000000-0000-0000-0000-000000000000"
"""For phases that change nothing, before it is known which boot runs: no boot has this id (RFC 9562, section 5.9)."""

NOT_YET = frozenset({"same_boot"})
"""Why what an act is for is not so, where time may still bring it: systemd has only taken the request."""

STARTS = 3
FIRST_POLL_S, MOST_POLL_S, SLOWER = 0.25, 10.0, 1.4
_ENDED_BADLY = {
    ControlResult.FAILED: Result.FAILED,
    ControlResult.LACKS: Result.FAILED,
    ControlResult.REFUSED: Result.REFUSED,
    ControlResult.UNKNOWN: Result.UNKNOWN,
}
_NOT_RUN = frozenset({"busy", "fenced", "other_boot"})
"""Reasons of an act whose command was never begun (`diag/nodekit/act.py`)."""


@dataclass(frozen=True, slots=True)
class Control:
    """One act of one controller: with which parameters, and how long it may take, in seconds."""

    name: str
    parameters: dict[str, Any]
    within_s: int
    act: Act
    undoing: bool = False

    @property
    def change(self) -> ControlPhase:
        """The phase that changes the node."""
        return ControlPhase.UNDO if self.undoing else ControlPhase.APPLY


@dataclass
class _Seen:
    """What came back so far: documents by what they say, the newest answer, and the boot that gave it."""

    began: float = field(default_factory=time.monotonic)
    kept: dict[tuple[object, ...], str] = field(default_factory=dict)
    data: ControlData | None = None
    boot_id: str | None = None
    act: ControlData | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The documents, in their order."""
        return tuple(self.kept.values())

    @property
    def spent_ms(self) -> int:
        """Milliseconds since it began."""
        return round((time.monotonic() - self.began) * 1000)


class Controls:
    """Does acts on nodes, over SSH."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    async def precheck(self, control: Control, fence: int = 0) -> tuple[RunRecord, ControlData | None]:
        """What the controller says before anything is done."""
        record = await self._ask(control, ControlPhase.PRECHECK, fence, None)
        return record, _data(record)

    async def prepare(self, control: Control) -> Ready | Came:
        """Whether the act may be done, and for which boot of the node."""
        if control.undoing:
            record = await self._ask(control, ControlPhase.OBSERVE, 0, None)
            return came_of_failure(record) if record.failure is not None else _ready(record)
        record, data = await self.precheck(control)
        if data is None:
            return came_of_failure(record)
        came = _came(data, (record.model_dump_json(),), record.duration_ms)
        if data.result is ControlResult.HOLDS:
            return replace(came, result=Result.DONE)
        if data.result is not ControlResult.READY:
            return came
        return _ready(record)

    async def do(self, control: Control, intended: Intended, fence: int) -> Came | Question:
        """Start the act and follow it; where its start is in doubt, what the node knows of it decides.

        A node that was not reached and knows nothing of the act is asked again: a unit of that name starts once.
        """
        seen = _Seen()
        for _ in range(STARTS):
            record = await self._ask(control, control.change, fence, intended.boot_id)
            self._note(seen, record)
            if record.failure is not None and not cut_off(record.failure):
                return came_of_failure(record)
            if seen.data is not None and seen.data.result in _ENDED_BADLY:
                return await self._ended_badly(control, intended, fence, seen)
            if seen.data is not None and seen.data.result is ControlResult.DONE and seen.data.unit is None:
                found = await self._nothing_to_do(control, intended, fence, seen)
            else:
                found = await self._follow(control, intended, fence, seen)
            if not isinstance(found, NotBegun):
                return found
        return Came(
            result=Result.FAILED,
            reason="not_begun",
            summary=f"the node was asked {STARTS} times to begin, and knows nothing of it",
            duration_ms=seen.spent_ms,
            texts=seen.texts,
        )

    async def look(self, control: Control, intended: Intended, fence: int) -> Came | Question | NotBegun:
        """What became of an act that an earlier process intended."""
        return await self._follow(control, intended, fence, _Seen())

    async def _nothing_to_do(
        self, control: Control, intended: Intended, fence: int, seen: _Seen
    ) -> Came | Question | NotBegun:
        """The node found at the last moment that nothing is to be done: no unit will tell of it."""
        found = await self._after(control, intended, fence, seen, another_boot=False)
        if found is None:
            await asyncio.sleep(FIRST_POLL_S)
        return found or NOT_BEGUN

    async def _follow(
        self, control: Control, intended: Intended, fence: int, seen: _Seen
    ) -> Came | Question | NotBegun:
        """Ask until the act has ended, then whether what it is for is so."""
        pause, ends = FIRST_POLL_S, seen.began + control.within_s
        last: RunRecord | None = None
        while True:
            last = await self._ask(control, ControlPhase.OBSERVE, fence, intended.boot_id)
            self._note(seen, last)
            if last.failure is not None and not cut_off(last.failure):
                return replace(came_of_failure(last), texts=seen.texts, duration_ms=seen.spent_ms)
            if last.failure is None and seen.data is not None:
                found = await self._judged(control, intended, fence, seen)
                if found is not None:
                    return found
            if time.monotonic() + pause > ends:
                return self._out_of_time(control, last, seen)
            await asyncio.sleep(pause)
            pause = min(pause * SLOWER, MOST_POLL_S)

    async def _judged(
        self, control: Control, intended: Intended, fence: int, seen: _Seen
    ) -> Came | Question | NotBegun | None:
        """What the newest answer means; None while the act goes on."""
        assert seen.data is not None  # noqa: S101 - only called with an answer
        result = seen.data.result
        if result in (ControlResult.RUNNING, ControlResult.STARTED):
            return None
        another_boot = intended.boot_id is not None and seen.boot_id != intended.boot_id
        if result is ControlResult.ABSENT and not another_boot:
            return NOT_BEGUN
        if result in (ControlResult.DONE, ControlResult.ABSENT):
            return await self._after(control, intended, fence, seen, another_boot=another_boot)
        return await self._ended_badly(control, intended, fence, seen)

    async def _ended_badly(self, control: Control, intended: Intended, fence: int, seen: _Seen) -> Came:
        """How it ended; where the command ran, with one more look, since what failed may have changed the node."""
        assert seen.data is not None  # noqa: S101 - only called with an answer
        came = _came(seen.data, seen.texts, seen.spent_ms)
        if seen.data.result is not ControlResult.FAILED or seen.data.reason in _NOT_RUN or control.undoing:
            return came
        record = await self._ask(control, ControlPhase.POSTCHECK, fence, intended.boot_id)
        return _with_act(replace(came, texts=(*came.texts, record.model_dump_json())), None, seen.act)

    async def _after(
        self, control: Control, intended: Intended, fence: int, seen: _Seen, *, another_boot: bool
    ) -> Came | Question | None:
        """Whether what the act is for is so, which is all that can be known where the node has booted since."""
        ended = seen.data
        if control.undoing:
            return _undone(ended, seen)
        record = await self._ask(control, ControlPhase.POSTCHECK, fence, intended.boot_id)
        self._note(seen, record)
        if record.failure is not None:
            return None if cut_off(record.failure) else came_of_failure(record)
        assert seen.data is not None  # noqa: S101 - a record without failure has an answer
        came = _came(seen.data, seen.texts, seen.spent_ms)
        if seen.data.result is ControlResult.HOLDS:
            return replace(_with_act(came, ended, seen.act), result=Result.DONE)
        if seen.data.reason in NOT_YET:
            return None
        if another_boot and seen.data.result is ControlResult.LACKS and seen.data.reason is None:
            words = f"{control.name} was begun in another boot of the node, which has forgotten how it ended"
            return Question(clip(f"{words}: {seen.data.summary}"))
        return _with_act(came, ended, seen.act)

    @staticmethod
    def _out_of_time(control: Control, last: RunRecord, seen: _Seen) -> Came:
        if last.failure is not None:
            words = f"the node does not answer, {control.within_s} s after {control.name} began: {last.failure.message}"
            result = Result.UNREACHABLE if unreachable(last.failure) else Result.UNKNOWN
            reason = last.failure.cause.value
        elif seen.data is not None and seen.data.reason in NOT_YET:
            words, result, reason = seen.data.summary, Result.FAILED, seen.data.reason
        else:
            words = f"{control.name} still goes on after {control.within_s} s"
            result, reason = Result.UNKNOWN, "timeout"
        return Came(
            result=result,
            reason=reason,
            summary=words[:1000],
            argv=tuple(seen.act.argv) if seen.act else (),
            unit=seen.act.unit if seen.act else None,
            duration_ms=seen.spent_ms,
            texts=seen.texts,
        )

    async def _ask(self, control: Control, phase: ControlPhase, fence: int, boot_id: str | None) -> RunRecord:
        arguments = (
            "control",
            f"--controller={control.name}",
            f"--phase={phase.value}",
            f"--act={control.act.act}",
            f"--fence={fence}",
            f"--boot={boot_id or NO_BOOT}",
            f"--with={json.dumps(control.parameters, ensure_ascii=True, sort_keys=True)}",
        )
        asked = question.control(arguments, control.name, phase.value, control.act.act)
        return await self._visits.ask(control.act.node_id, "control", asked, as_root=True)

    @staticmethod
    def _note(seen: _Seen, record: RunRecord) -> None:
        """Keep what came: every start, and of looks that say the same the newest, however long a node is asked."""
        data = _data(record)
        if record.failure is not None or data is None:
            kind: tuple[object, ...] = (record.status,)
        else:
            change = data.phase in (ControlPhase.APPLY, ControlPhase.UNDO)
            kind = (data.phase, data.result, len(seen.kept) if change else 0)
        seen.kept.pop(kind, None)
        seen.kept[kind] = record.model_dump_json()
        seen.data = data
        if data is not None:
            seen.boot_id = _boot(record)
            if data.argv:
                seen.act = data


def _ready(record: RunRecord) -> Ready:
    return Ready(_boot(record), (record.model_dump_json(),))


def _data(record: RunRecord) -> ControlData | None:
    envelope = record.envelope
    return envelope.data if envelope is not None and isinstance(envelope.data, ControlData) else None


def _boot(record: RunRecord) -> str | None:
    return record.envelope.meta.node.boot_id if record.envelope is not None else None


def _came(data: ControlData, texts: tuple[str, ...], duration_ms: int) -> Came:
    return Came(
        result=_ENDED_BADLY.get(data.result, Result.DONE),
        reason=data.reason,
        summary=data.summary,
        argv=tuple(data.argv),
        unit=data.unit,
        exit_status=data.exit_status,
        output_sha256=data.output_sha256,
        duration_ms=data.duration_ms if data.duration_ms is not None else duration_ms,
        texts=texts,
    )


def _with_act(came: Came, ended: ControlData | None, begun: ControlData | None) -> Came:
    """The act itself, as its start and its unit told, beside what the check after it found."""
    if begun is not None:
        came = replace(came, argv=tuple(begun.argv), unit=begun.unit)
    if ended is None:
        return came
    return replace(
        came,
        exit_status=ended.exit_status,
        output_sha256=ended.output_sha256,
        duration_ms=came.duration_ms if ended.duration_ms is None else ended.duration_ms,
    )


def _undone(ended: ControlData | None, seen: _Seen) -> Came:
    assert ended is not None  # noqa: S101 - only called with an answer
    came = _with_act(_came(ended, seen.texts, seen.spent_ms), ended, seen.act)
    if ended.result is ControlResult.ABSENT:
        return replace(
            came, result=Result.UNKNOWN, reason="other_boot", summary="the node has booted since it was begun"
        )
    return came
