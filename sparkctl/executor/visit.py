"""One visit to one node: connect, run the program once, judge the answer; one run record in every case."""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sparkctl import __version__
from sparkctl.contract.decode import Expected
from sparkctl.executor.answer import Answer, read_answer
from sparkctl.executor.hints import HINTS
from sparkctl.executor.limits import Limits
from sparkctl.executor.question import HEALTH, Question
from sparkctl.executor.receiver import NOTHING_KEPT, Kept, Receive, Receiver
from sparkctl.executor.retry import pause_before
from sparkctl.executor.stop import Stop
from sparkctl.executor.summary import summarise, truncation_warnings
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.durations import told_seconds
from sparkctl.model.inventory import Node
from sparkctl.model.printable import clip, printable
from sparkctl.model.run import AnyEnvelope, Failure, RunRecord, Visit
from sparkctl.model.vocabulary import Cause, Elevation, Origin, Outcome, Stage
from sparkctl.probes import stage_one
from sparkctl.probes.program import Program
from sparkctl.transport.seam import Command, Ended, Session, Transport, TransportError

TOOL = f"sparkctl {__version__}"


@dataclass
class Progress:
    """How far a visit has come; read when it ends early."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    stage: Stage = Stage.CONNECT
    attempts: int = 0
    stages_ms: dict[Stage, int] = field(default_factory=dict)
    host_key: str | None = None
    warnings: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    received_bytes: int = 0
    exit_status: int | None = None
    receiver: Receiver | None = None
    kept: Kept = NOTHING_KEPT


@dataclass(frozen=True)
class Errand:
    """What is asked of every node of a run; `origin` is where one that is not simulated is looked at."""

    run_id: str
    program: Program
    limits: Limits
    question: Question = HEALTH
    receive: Receive | None = None
    origin: Origin = Origin.LIVE


async def visit(node: Node, transport: Transport, errand: Errand, stop: Stop, chance: random.Random) -> RunRecord:
    """Visit a node. Every way of failing ends in the record; a cancelled visit is recorded with the cause of `stop`."""
    progress = Progress()
    try:
        async with asyncio.timeout(errand.limits.node_s):
            answer = await _ask(node, transport, errand, progress, chance)
        progress.stage = Stage.SEAL
        if progress.receiver is not None:
            progress.kept = await progress.receiver.finish(answer.envelope)
        result: Answer | Failure = answer
    except TransportError as error:
        result = _failure(progress, error.stage, error.cause, error.message, error.hint)
    except TimeoutError:
        words = f"no answer within {told_seconds(errand.limits.node_s)} for the whole visit"
        result = _failure(progress, progress.stage, Cause.TIMEOUT, words)
    except asyncio.CancelledError:
        what = "its bundle was sealed" if progress.stage is Stage.SEAL else "the node answered"
        result = _failure(progress, progress.stage, stop.cause, f"{stop.words} before {what}")
    except Exception as bug:  # noqa: BLE001 - a bug in one visit must not take the other nodes with it
        words = printable(f"{type(bug).__name__}: {bug}", MAX_TEXT)
        result = _failure(progress, progress.stage, Cause.INTERNAL, words)
    finally:
        if progress.receiver is not None:
            progress.receiver.close()
    return _record(node, errand, progress, result)


def not_visited(node: Node, errand: Errand, stop: Stop) -> RunRecord:
    """The record of a node that the run did not come to."""
    words = f"{stop.words} before this node was visited"
    return without_visit(node, errand, Stage.SCHEDULE, stop.cause, words)


def without_visit(
    node: Node, errand: Errand, stage: Stage, cause: Cause, words: str, *, hint: str | None = None
) -> RunRecord:
    """The record of a node of whose visit nothing is known but why it did not report."""
    progress = Progress(stage=stage)
    return _record(node, errand, progress, _failure(progress, stage, cause, words, hint))


async def _ask(node: Node, transport: Transport, errand: Errand, progress: Progress, chance: random.Random) -> Answer:
    nonce = secrets.token_hex(16)
    if errand.receive is not None:
        progress.receiver = errand.receive(node, nonce)
    session = await _connect(node, transport, errand.limits, progress, chance)
    try:
        progress.stages_ms, progress.host_key = dict(session.stages_ms), session.host_key
        progress.warnings = list(session.warnings)
        answer = await _run(session, node, errand, progress, nonce)
        _refuse_another_machine(node, answer)
        return answer
    finally:
        await session.close()


def _refuse_another_machine(node: Node, answer: Answer) -> None:
    seen = answer.envelope.meta.node.serial
    if node.serial is None or seen is None or seen == node.serial:
        return
    raise TransportError(
        Stage.DECODE,
        Cause.IDENTITY_MISMATCH,
        f"the machine says its serial is {seen}, enrolled is {node.serial} ({node.origin})",
    )


async def _connect(
    node: Node, transport: Transport, limits: Limits, progress: Progress, chance: random.Random
) -> Session:
    while True:
        progress.attempts += 1
        try:
            return await transport.connect(node, limits.deadlines)
        except TransportError as error:
            progress.stage = error.stage
            if not error.retryable or progress.attempts >= limits.attempts:
                raise
            asked_for = error.pause_s or 0.0
        await asyncio.sleep(asked_for + pause_before(progress.attempts + 1, chance))


async def _run(session: Session, node: Node, errand: Errand, progress: Progress, nonce: str) -> Answer:
    limits = errand.limits
    command = _command(errand, node.elevation, nonce, progress.receiver)
    progress.stage, progress.sent_bytes = Stage.RUN, len(command.stdin)
    started = time.monotonic()
    try:
        ended: Ended = await session.execute(command, limits.deadlines.run_s)
    finally:
        progress.stages_ms[Stage.RUN] = round((time.monotonic() - started) * 1000)
    progress.received_bytes = len(ended.stdout) + len(ended.stderr)
    if progress.receiver is not None:
        progress.received_bytes += progress.receiver.taken_bytes
    progress.exit_status = ended.exit_status
    progress.stage = Stage.DECODE
    expected = Expected(
        limit=limits.document_bytes,
        program_sha256=errand.program.sha256,
        elevation=node.elevation,
        origin=Origin.SIMULATED if node.simulated else errand.origin,
        checks=errand.program.checks,
        facets=errand.question.facets,
        back=errand.question.back,
        control=errand.question.control,
    )
    return read_answer(ended, nonce, expected, errand.question.decode)


def _command(errand: Errand, elevation: Elevation, nonce: str, receiver: Receiver | None) -> Command:
    limits = errand.limits
    arguments = (
        *errand.question.arguments,
        f"--seconds={limits.program_s:g}",
        f"--bytes={limits.document_bytes}",
        f"--elevation={elevation.value}",
    )
    return Command(
        argv=stage_one.argv(errand.program, nonce, arguments, as_root=elevation is Elevation.ROOT),
        stdin=errand.program.packed,
        stdout_limit=limits.document_bytes + limits.noise_bytes,
        stderr_limit=limits.stderr_bytes,
        take=receiver.take if receiver else None,
    )


def _failure(progress: Progress, stage: Stage, cause: Cause, message: str, hint: str | None = None) -> Failure:
    words, advice = clip(message), clip(hint or HINTS[cause])
    return Failure(stage=stage, cause=cause, message=words, hint=advice, attempts=progress.attempts)


def _record(node: Node, errand: Errand, progress: Progress, result: Answer | Failure) -> RunRecord:
    answer, failure = (result, None) if isinstance(result, Answer) else (None, result)
    envelope = answer.envelope if answer else None
    return RunRecord(
        tool=TOOL,
        ts=progress.started,
        host=node.ssh.host or node.node_id,
        status="ok" if failure is None else f"{failure.stage.value}.{failure.cause.value}",
        rc=progress.exit_status,
        duration_ms=round((time.monotonic() - progress.clock) * 1000),
        summary=summarise(envelope),
        warnings=[clip(words) for words in _warnings(progress, envelope)],
        artifacts=[clip(name) for name in progress.kept.artifacts],
        run_id=errand.run_id,
        node_id=node.node_id,
        outcome=Outcome.REPORTED if envelope else Outcome.UNREPORTED,
        simulated=node.simulated,
        visit=_visit_facts(progress, answer) if progress.attempts else None,
        envelope=envelope,
        failure=failure,
    )


def _warnings(progress: Progress, envelope: AnyEnvelope | None) -> list[str]:
    return [*progress.warnings, *truncation_warnings(envelope), *progress.kept.warnings]


def _visit_facts(progress: Progress, answer: Answer | None) -> Visit:
    return Visit(
        stages_ms=progress.stages_ms,
        sent_bytes=progress.sent_bytes,
        received_bytes=progress.received_bytes,
        noise_bytes=answer.noise_bytes if answer else 0,
        host_key=progress.host_key,
    )
