"""A health sweep from inventory to exit code."""

import asyncio
import contextlib
import gc
import resource
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sparkctl.app.places import Places
from sparkctl.app.resume import Earlier, find_earlier
from sparkctl.app.transports import Transports
from sparkctl.errors import ExitCode, StoreError
from sparkctl.executor.fanout import FanOut
from sparkctl.executor.limits import Limits
from sparkctl.executor.queue import NO_LIMITS, PlaceLimits
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import TOOL, Errand
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.inventory.shards import Shard
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.sweep import BastionCost, SweepReport
from sparkctl.model.vocabulary import Cause, Status
from sparkctl.probes.program import bundle
from sparkctl.report.outputs import Forgiving, SweepOutput
from sparkctl.report.tally import Tally
from sparkctl.resources import shipped
from sparkctl.store.lock import SweepLock
from sparkctl.store.store import Store
from sparkctl.store.writer import AsyncWriter

TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What the operator asked for.

    `deadline_s` bounds the whole sweep, in seconds. `resume` names a run to take up (`last` is the last one), whose
    selector and shard then hold. `fail_on` is the status from which the exit code is 1.
    """

    places: Places
    selector: str
    limits: Limits
    level: str = "L1"
    fail_on: Status = Status.FAIL
    place_limits: PlaceLimits = NO_LIMITS
    deadline_s: float | None = None
    shard: Shard | None = None
    resume: str | None = None


def sweep(request: SweepRequest, output: SweepOutput) -> ExitCode:
    """Judge the selected nodes, store and show each result as it comes, and return the exit code.

    Raises UsageError, StoreError and BusyError before the first node is visited.
    """
    fleet = load_fleet(request.places.fleet)
    errand = Errand(_new_run_id(), bundle(shipped("diag")), request.limits, request.level)
    state = request.places.state
    if request.resume is None:
        select(fleet, request.selector)  # so that a wrong selector leaves no state folder behind
    with SweepLock(state, sys.argv) as lock, Store.open(state) as store:
        run = _Run(request, fleet, errand, store, output)
        transports = Transports(request.places.transport_settings, run.nodes)
        run.begin(lock)
        gc.freeze()  # what is here now stays to the end: the collector need not look at it again and again
        report = asyncio.run(run.go(transports))
    return ExitCode(report.exit_code)


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class _Run:
    """One sweep while it runs."""

    def __init__(self, request: SweepRequest, fleet: Fleet, errand: Errand, store: Store, output: SweepOutput) -> None:
        self.request, self.errand, self.store, self.output = request, errand, store, Forgiving(output)
        self.started_at, self.clock = datetime.now(UTC), time.monotonic()
        self.tally = Tally()
        self.store_error: StoreError | None = None
        self.earlier = find_earlier(store, request.resume, errand.program.sha256) if request.resume else None
        self.selector = self.earlier.selector if self.earlier else request.selector
        self.shard = self.earlier.shard if self.earlier else request.shard
        selected = select(fleet, self.selector)
        self.nodes: list[Node] = self.shard.of(selected) if self.shard else selected

    def begin(self, lock: SweepLock) -> None:
        """Note the run in the store."""
        self.store.begin_run(
            lock,
            run_id=self.errand.run_id,
            tool=TOOL,
            started_at=self.started_at,
            selector=self.selector,
            program_sha256=self.errand.program.sha256,
            selected=len(self.nodes),
            shard=str(self.shard) if self.shard else None,
            resumes=self.earlier.run_id if self.earlier else None,
        )

    async def go(self, transports: Transports) -> SweepReport:
        """Visit the nodes and finish the run in the store and on the output."""
        stop = Stop()
        waiting = self._not_yet_reported(self.earlier) if self.earlier else self.nodes
        self.output.begin(len(waiting))
        async with transports, AsyncWriter(self.store) as writer:

            async def keep(outcome: NodeOutcome) -> None:
                try:
                    if self.store_error is None:
                        await writer.add(outcome)
                except StoreError as error:
                    self.store_error = error
                    stop.set(words="the run was stopped since its results could not be stored")
                self.tally.add(outcome)
                self.output.outcome(outcome)

            fan_out = FanOut(self.errand, transports.for_node, keep, stop, self.request.place_limits)
            with _stopped_by_signals(stop), _stopped_by_deadline(stop, self.request.deadline_s):
                ticking = asyncio.create_task(self._tick(fan_out.visiting))
                try:
                    await fan_out.run(waiting)
                finally:
                    ticking.cancel()
            report = self._report()
            if self.store_error is None:
                await writer.finish_run(report)
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

    def _report(self) -> SweepReport:
        return self.tally.report(
            tool=TOOL,
            run_id=self.errand.run_id,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            duration_ms=round((time.monotonic() - self.clock) * 1000),
            program_sha256=self.errand.program.sha256,
            selector=self.selector,
            shard=str(self.shard) if self.shard else None,
            resumes=self.earlier.run_id if self.earlier else None,
            selected=len(self.nodes),
            cost=_own_cost(),
            fail_on=self.request.fail_on,
        )


def _own_cost() -> BastionCost:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return BastionCost(cpu_s=round(usage.ru_utime + usage.ru_stime, 3), peak_rss_bytes=usage.ru_maxrss * 1024)


@contextlib.contextmanager
def _stopped_by_deadline(stop: Stop, seconds: float | None) -> Iterator[None]:
    """Stop the run in good order when its time is over."""
    if seconds is None:
        yield
        return
    words = f"the sweep's deadline of {seconds:g} s passed"
    timer = asyncio.get_running_loop().call_later(seconds, stop.set, Cause.RUN_DEADLINE, words)
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _stopped_by_signals(stop: Stop) -> Iterator[None]:
    """The first Ctrl-C, hang-up or termination stops the run in good order; the second kills it."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def note() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, note)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
