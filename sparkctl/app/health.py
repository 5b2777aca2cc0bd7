"""A health sweep from inventory to exit code."""

import asyncio
import contextlib
import resource
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sparkctl.app.places import Places
from sparkctl.app.transports import Transports
from sparkctl.errors import ExitCode
from sparkctl.executor.fanout import FanOut
from sparkctl.executor.limits import Limits
from sparkctl.executor.visit import TOOL, Errand
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.inventory import Node
from sparkctl.model.run import RunRecord
from sparkctl.model.sweep import BastionCost, SweepReport
from sparkctl.model.vocabulary import Status
from sparkctl.probes.program import bundle
from sparkctl.report.outputs import SweepOutput
from sparkctl.report.tally import Tally
from sparkctl.resources import shipped
from sparkctl.store.lock import SweepLock
from sparkctl.store.store import Store
from sparkctl.store.writer import AsyncWriter


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What the operator asked for; `fail_on` is the status from which the exit code is 1."""

    places: Places
    selector: str
    limits: Limits
    level: str = "L1"
    fail_on: Status = Status.FAIL


def sweep(request: SweepRequest, output: SweepOutput) -> ExitCode:
    """Judge the selected nodes, store and show each result as it comes, and return the exit code.

    Raises UsageError, StoreError and BusyError before the first node is visited.
    """
    nodes = select(load_fleet(request.places.fleet), request.selector)
    errand = Errand(_new_run_id(), bundle(shipped("diag")), request.limits, request.level)
    transports = Transports(request.places.transport_settings, nodes)
    state = request.places.state
    with SweepLock(state, sys.argv) as lock, Store.open(state) as store:
        run = _Run(request, errand, nodes, store, output)
        store.begin_run(
            lock,
            run_id=errand.run_id,
            tool=TOOL,
            started_at=run.started_at,
            selector=request.selector,
            program_sha256=errand.program.sha256,
            selected=len(nodes),
        )
        report = asyncio.run(run.go(transports))
    return ExitCode(report.exit_code)


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class _Run:
    """One sweep while it runs."""

    def __init__(
        self, request: SweepRequest, errand: Errand, nodes: list[Node], store: Store, output: SweepOutput
    ) -> None:
        self.request, self.errand, self.nodes, self.store, self.output = request, errand, nodes, store, output
        self.started_at, self.clock = datetime.now(UTC), time.monotonic()
        self.tally = Tally()

    async def go(self, transports: Transports) -> SweepReport:
        """Visit the nodes and finish the run in the store and on the output."""
        stop = asyncio.Event()
        self.output.begin(len(self.nodes))
        async with transports, AsyncWriter(self.store) as writer:

            async def keep(record: RunRecord) -> None:
                await writer.add_record(record)
                self.tally.add(record)
                self.output.record(record)

            with _stopped_by_signals(stop):
                await FanOut(self.errand, transports.for_node, keep, stop).run(self.nodes)
            report = self._report(interrupted=stop.is_set())
            await writer.finish_run(report)
        self.output.end(report)
        return report

    def _report(self, *, interrupted: bool) -> SweepReport:
        return self.tally.report(
            tool=TOOL,
            run_id=self.errand.run_id,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            duration_ms=round((time.monotonic() - self.clock) * 1000),
            program_sha256=self.errand.program.sha256,
            selector=self.request.selector,
            selected=len(self.nodes),
            interrupted=interrupted,
            cost=_own_cost(),
            fail_on=self.request.fail_on,
        )


def _own_cost() -> BastionCost:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return BastionCost(cpu_s=round(usage.ru_utime + usage.ru_stime, 3), peak_rss_bytes=usage.ru_maxrss * 1024)


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
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
