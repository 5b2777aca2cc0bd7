"""One run over a fleet, whatever it asks: lock, store, visits, report, exit code."""

import asyncio
import contextlib
import gc
import resource
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sparkctl.app.alerting import update_alerts
from sparkctl.app.own_cost import peak_rss_bytes
from sparkctl.app.places import Places
from sparkctl.app.resume import Earlier, find_earlier
from sparkctl.app.sink_file import plan_at
from sparkctl.app.stopping import stopped_by_signals
from sparkctl.app.telling import Say, Telling, silent
from sparkctl.app.transports import SharedWays, Transports
from sparkctl.errors import ExitCode, StoreError
from sparkctl.executor.fanout import FanOut, VisitHere, Visitor
from sparkctl.executor.limits import Limits
from sparkctl.executor.open_files import require_open_files
from sparkctl.executor.question import Question
from sparkctl.executor.queue import NO_LIMITS, PlaceLimits
from sparkctl.executor.receiver import Receive
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import TOOL, Errand
from sparkctl.executor.workers import Workers
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.inventory.shards import Shard
from sparkctl.model.durations import told_seconds
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause
from sparkctl.probes.program import Program
from sparkctl.report.outputs import Forgiving, Report, SweepOutput
from sparkctl.store.entries import RunKind
from sparkctl.store.lock import SweepLock
from sparkctl.store.store import Store
from sparkctl.store.writer import AsyncWriter

TICK_S = 0.5
# How long after the deadline the store may still wait for another program that has locked it.
STORE_GRACE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the operator asked for.

    `deadline_s` bounds the whole run, in seconds. `resume` names a run to take up (`last` is the last one), whose
    selector and shard then hold. `workers` is how many processes visit the nodes; with 1 it is this one. Without
    `alerting` the alerts of the state folder stay as they are. `say` tells people what became of sinks.
    """

    places: Places
    selector: str
    limits: Limits
    place_limits: PlaceLimits = NO_LIMITS
    deadline_s: float | None = None
    shard: Shard | None = None
    resume: str | None = None
    workers: int = 1
    alerting: bool = True
    say: Say = silent


class Spender(Protocol):
    """Processes that work for a run beside those that visit: CPU in seconds, the sum of their peaks of memory."""

    @property
    def cpu_s(self) -> float:
        """So far."""

    @property
    def peak_rss_bytes(self) -> int:
        """So far."""


class RunTally(Protocol):
    """Counts outcomes and makes the report of them."""

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""

    def report(self, start: RunStart, end: RunEnd) -> Report:
        """The report of the whole run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asks of every node, what kind of run that is, and who counts the answers.

    `receive` takes in what comes beside the documents; `beside` are processes that help it. `require` raises UsageError
    where one of the nodes cannot be asked that.
    """

    kind: RunKind
    program: Program
    question: Question
    tally: RunTally
    receive: Receive | None = None
    beside: Spender | None = None
    require: Callable[[Sequence[Node]], None] = lambda _: None

    @property
    def words(self) -> str:
        """What was asked beside other runs of this kind, as the store keeps it."""
        return self.question.asked


def run_fleet(request: RunRequest, asked: Asked, output: SweepOutput) -> ExitCode:
    """Ask the selected nodes, store and show each outcome as it comes, tell the sinks, and return the exit code.

    Raises UsageError, StoreError and BusyError before the first node is visited.
    """
    end_at = None if request.deadline_s is None else time.monotonic() + request.deadline_s
    give_up_at = None if end_at is None else end_at + STORE_GRACE_S
    fleet = load_fleet(request.places.fleet)
    telling = Telling(plan_at(request.places), fleet)
    errand = Errand(_new_run_id(), asked.program, request.limits, asked.question, asked.receive)
    state = request.places.state
    # Now, so that a wrong selector leaves no state folder behind; the nodes of a run to take up are in the store.
    nodes = select(fleet, request.selector) if request.resume is None else fleet.nodes
    require_open_files(request.workers)
    with contextlib.ExitStack() as ends:
        workers = ends.enter_context(_forked(request, nodes, errand)) if request.workers > 1 else None
        lock = ends.enter_context(SweepLock(state, sys.argv))
        store = ends.enter_context(Store.open(state, give_up_at=give_up_at))
        run = _Run(request, asked, errand, fleet=fleet, store=store, output=output, telling=telling)
        visits = workers or _Here(errand, Transports(request.places.transport_settings, run.nodes))
        run.begin(lock)
        gc.freeze()  # what is here now stays to the end: the collector need not look at it again and again
        report = asyncio.run(run.go(visits))
        if request.alerting and asked.kind is not RunKind.BUNDLE:
            # With the lock still held, so that runs are entered in the order in which they ended.
            news = update_alerts(store, fleet, request.places.fleet, request.places.environ, telling)
            run.output.alerts(news)
    # The next run may begin: nobody waits for sinks but whoever started this one.
    return telling.deliver(state, ExitCode(report.exit_code), end_at, request.say)


def _forked(request: RunRequest, nodes: list[Node], errand: Errand) -> Workers:
    """The worker processes, before there is a lock or a database that they would inherit."""
    settings = request.places.transport_settings
    transports = Transports(settings, nodes)
    gc.freeze()  # a collector that looked at it would copy it into every worker
    return Workers(min(request.workers, len(nodes)) or 1, nodes, errand, transports, SharedWays(settings))


class _Here:
    """Visits in this process; what `Workers` is to many."""

    cpu_s, peak_rss_bytes = 0.0, 0

    def __init__(self, errand: Errand, transports: Transports) -> None:
        self._errand, self._transports = errand, transports

    @contextlib.asynccontextmanager
    async def at_work(self, stop: Stop) -> AsyncIterator[Visitor]:
        """The visitor until `stop`."""
        async with self._transports:
            yield VisitHere(self._errand, self._transports.for_node, stop)


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class _Run:
    """One run while it goes on."""

    def __init__(
        self,
        request: RunRequest,
        asked: Asked,
        errand: Errand,
        *,
        fleet: Fleet,
        store: Store,
        output: SweepOutput,
        telling: Telling,
    ) -> None:
        self.request, self.errand, self.store, self.output = request, errand, store, Forgiving(output)
        self.telling = telling
        self.kind, self.tally, self.asked, self.beside = asked.kind, asked.tally, asked.words, asked.beside
        self.clock = time.monotonic()
        self.store_error: StoreError | None = None
        self.earlier = (
            find_earlier(store, request.resume, self.kind, self.asked, errand.program.sha256)
            if request.resume
            else None
        )
        selector = self.earlier.selector if self.earlier else request.selector
        shard = self.earlier.shard if self.earlier else request.shard
        selected = select(fleet, selector)
        self.nodes: list[Node] = shard.of(selected) if shard else selected
        asked.require(self.nodes)
        self.start = RunStart(
            run_id=errand.run_id,
            tool=TOOL,
            started_at=datetime.now(UTC),
            selector=selector,
            program_sha256=errand.program.sha256,
            selected=len(self.nodes),
            shard=str(shard) if shard else None,
            resumes=self.earlier.run_id if self.earlier else None,
        )

    def begin(self, lock: SweepLock) -> None:
        """Note the run in the store."""
        self.store.begin_run(lock, self.start, self.kind, self.asked)

    async def go(self, visits: Workers | _Here) -> Report:
        """Visit the nodes and finish the run in the store and on the output."""
        stop = Stop()
        waiting = self._not_yet_reported(self.earlier) if self.earlier else self.nodes
        self.output.begin(len(waiting))
        async with AsyncWriter(self.store) as writer:

            async def keep(outcome: NodeOutcome) -> None:
                try:
                    if self.store_error is None:
                        await writer.add(outcome, self.telling.of_outcome(outcome))
                except StoreError as error:
                    self.store_error = error
                    stop.set(words="the run was stopped since its results could not be stored")
                self.tally.add(outcome)
                self.output.outcome(outcome)

            with stopped_by_signals(stop.set), _stopped_by_deadline(stop, self.request.deadline_s):
                async with visits.at_work(stop) as visit:
                    fan_out = FanOut(self.errand, visit, keep, stop, self.request.place_limits)
                    ticking = asyncio.create_task(self._tick(fan_out.visiting))
                    try:
                        await fan_out.run(waiting)
                    finally:
                        ticking.cancel()
            report = self._report(_cost(visits, self.beside))
            if self.store_error is None:
                try:
                    await writer.finish_run(report, self.telling.of_report(report), self.telling.spools)
                except StoreError as error:
                    self.store_error = error  # raised once everybody is on the output
        self.output.end(report)
        if self.store_error is not None:
            raise self.store_error
        return report

    async def _tick(self, visiting: set[str]) -> None:
        while True:
            self.output.tick(sorted(visiting))
            await asyncio.sleep(TICK_S)

    def _not_yet_reported(self, earlier: Earlier) -> list[Node]:
        """Count what the earlier run brought, and return the nodes that it did not hear from."""
        waiting = {node.node_id: node for node in self.nodes}
        for record in self.store.reported(earlier.run_id):
            if waiting.pop(record.node_id, None) is not None:
                self.tally.add(NodeOutcome.of(record))
        return list(waiting.values())

    def _report(self, cost: BastionCost) -> Report:
        duration_ms = round((time.monotonic() - self.clock) * 1000)
        return self.tally.report(self.start, RunEnd(finished_at=datetime.now(UTC), duration_ms=duration_ms, cost=cost))


def _cost(visits: Workers | _Here, beside: Spender | None) -> BastionCost:
    """What this process and its workers took, which have ended, and those beside them."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = usage.ru_utime + usage.ru_stime + visits.cpu_s
    peak = peak_rss_bytes() + visits.peak_rss_bytes
    if beside is not None:
        cpu_s, peak = cpu_s + beside.cpu_s, peak + beside.peak_rss_bytes
    return BastionCost(cpu_s=round(cpu_s, 3), peak_rss_bytes=peak)


@contextlib.contextmanager
def _stopped_by_deadline(stop: Stop, seconds: float | None) -> Iterator[None]:
    """Stop the run in good order when its time is over."""
    if seconds is None:
        yield
        return
    words = f"the run's deadline of {told_seconds(seconds)} passed"
    timer = asyncio.get_running_loop().call_later(seconds, stop.set, Cause.RUN_DEADLINE, words)
    try:
        yield
    finally:
        timer.cancel()
