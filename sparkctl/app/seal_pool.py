"""Seal in processes of their own: redaction takes seconds of a processor, and visits go on meanwhile."""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from sparkctl.app.cleaning import NotSealed
from sparkctl.app.sealing import Order, SealedBundle, seal_spool
from sparkctl.errors import SparkctlError
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.redaction.linear import forget
from sparkctl.transport.seam import TransportError

_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a bundle was not sealed; errors themselves do not all survive the way between processes."""

    cause: Cause
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class _Sealing:
    """What came of an order, and what the process that did it has taken since it began."""

    made: SealedBundle | _Refused
    pid: int
    cpu_s: float
    peak_rss_bytes: int


class SealPool:
    """As many processes as there are processors.

    `cpu_s` is what those took that have sealed something, with the programs that they ran (seconds); `peak_rss_bytes`
    is the sum of their peaks.
    """

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor
        self.given_up = False
        self._last: dict[int, _Sealing] = {}

    @property
    def cpu_s(self) -> float:
        """User and system time in seconds."""
        return sum(last.cpu_s for last in self._last.values())

    @property
    def peak_rss_bytes(self) -> int:
        """Memory; pages that processes share count in each."""
        return sum(last.peak_rss_bytes for last in self._last.values())

    async def seal(self, order: Order) -> SealedBundle:
        """Seal one bundle; raises TransportError(seal) where that was refused or could not be done."""
        try:
            sealing = await asyncio.get_running_loop().run_in_executor(self._executor, _accounted, order)
        except asyncio.CancelledError:
            self.given_up = True
            raise
        except BrokenProcessPool:
            words = "the process that seals bundles was killed: is there too little memory?"
            raise TransportError(Stage.SEAL, Cause.NOT_KEPT, words) from None
        self._last[sealing.pid] = sealing
        made = sealing.made
        if isinstance(made, _Refused):
            raise TransportError(Stage.SEAL, made.cause, made.message, hint=made.hint)
        return made


@contextmanager
def seal_pool() -> Iterator[SealPool]:
    """A pool; what it still does at the end is given up, and writes nothing any more afterwards."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit connections and locks
    executor = ProcessPoolExecutor(os.cpu_count() or 1, context, _live_with, (os.getpid(),))
    pool = SealPool(executor)
    try:
        yield pool
    finally:
        if pool.given_up:
            for process in multiprocessing.active_children():
                process.terminate()
        executor.shutdown(cancel_futures=True)


def _live_with(parent: int) -> None:
    """Leave it to the parent what Ctrl-C means, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _give_up)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _give_up(number: int, _: object) -> None:
    """End what is being done as an error would, so that it leaves no half file; the second time there and then."""
    signal.signal(number, signal.SIG_DFL)
    sys.exit(128 + number)


def _accounted(order: Order) -> _Sealing:
    made = _sealed(order)
    own, programs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime
    return _Sealing(made, os.getpid(), cpu_s, (own.ru_maxrss + programs.ru_maxrss) * 1024)


def _sealed(order: Order) -> SealedBundle | _Refused:
    """One bundle; a process seals many, and keeps nothing of one for the next.

    The spool goes here: to remove its thousands of files would hold up the visits for a second.
    """
    try:
        return _sealed_or_why(order)
    finally:
        forget()
        shutil.rmtree(order.spool, ignore_errors=True)


def _sealed_or_why(order: Order) -> SealedBundle | _Refused:
    try:
        return seal_spool(order)
    except NotSealed as left:
        return _Refused(Cause.NOT_SEALED, left.message, left.hint)
    except SparkctlError as error:
        return _Refused(Cause.NOT_KEPT, error.message, error.hint)
    except OSError as error:
        return _Refused(Cause.NOT_KEPT, f"the bundle could not be written: {error.strerror or error}", None)
