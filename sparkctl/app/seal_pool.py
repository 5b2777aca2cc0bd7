"""Seal in processes of their own: redaction takes seconds of a processor, and visits go on meanwhile."""

import asyncio
import ctypes
import glob
import multiprocessing
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

from sparkctl.app.cleaning import NotSealed
from sparkctl.app.own_cost import peak_rss_bytes
from sparkctl.app.sealing import Order, SealedBundle, seal_spool
from sparkctl.errors import SparkctlError
from sparkctl.evidence.files import unfinished_prefix
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.redaction.linear import forget
from sparkctl.transport.seam import TransportError

_PR_SET_PDEATHSIG = 1  # prctl(2)
SEAL_SECONDS = 300.0
"""The longest that one bundle may take, however much its node makes of what it sends."""


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
    """As many processes as there are processors, each of which can be ended without the others.

    `cpu_s` is what those took that have sealed something, with the programs that they ran (seconds); `peak_rss_bytes`
    is the sum of their peaks.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "seal")
        self._lock = Lock()
        self._idle: list[_Worker] = []
        self._busy: dict[Path, _Worker] = {}
        self._is_closed = False
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
        """Seal one bundle; raises TransportError(seal) where that was refused, took too long or could not be done."""
        try:
            made = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, order)
        except asyncio.CancelledError:
            with self._lock:
                if (worker := self._busy.get(order.spool)) is not None:
                    worker.end()
            raise
        if isinstance(made, _Refused):
            raise TransportError(Stage.SEAL, made.cause, made.message, hint=made.hint)
        return made

    def _ask(self, order: Order) -> SealedBundle | _Refused:
        with self._lock:
            if self._is_closed:
                return _Refused(Cause.NOT_KEPT, "bundles are no longer sealed", None)
            self._idle = [worker for worker in self._idle if worker.is_alive]
            worker = self._idle.pop() if self._idle else _Worker()
            self._busy[order.spool] = worker
        sealing = worker.answer(order, self._seconds)
        with self._lock:
            del self._busy[order.spool]
            if sealing is not None:
                self._last[sealing.pid] = sealing
                self._idle.append(worker)
        if sealing is not None:
            return sealing.made
        _remove_leftovers(order)
        return worker.why(self._seconds)

    def close(self) -> None:
        """End all processes, and give up what they still do."""
        with self._lock:
            self._is_closed = True
            for worker in (*self._idle, *self._busy.values()):
                worker.end()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Worker:
    """One process that seals one bundle after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit connections and locks
        self._line, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, os.getpid()), daemon=True)
        self._process.start()
        other.close()
        self._was_late = False

    def answer(self, order: Order, seconds: float) -> "_Sealing | None":
        """What became of an order, None where the process did not say it in time or at all; it is gone then."""
        with suppress(EOFError, OSError):
            self._line.send(order)
            if self._line.poll(seconds):
                sealing: _Sealing = self._line.recv()
                return sealing
            self._was_late = True
        self.end()
        self._process.join()
        return None

    def why(self, seconds: float) -> "_Refused":
        """Why there was no answer."""
        if self._was_late:
            words = f"the bundle was not sealed within {seconds:g} s: the node sent what takes too long to redact"
            return _Refused(Cause.TIMEOUT, words, "nothing was kept of it; look at what that node sends, or try again")
        words = "the process that seals bundles was killed: is there too little memory?"
        return _Refused(Cause.NOT_KEPT, words, None)

    @property
    def is_alive(self) -> bool:
        """Whether the process can take an order."""
        return self._process.is_alive()

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()


@contextmanager
def seal_pool(seconds: float = SEAL_SECONDS) -> Iterator[SealPool]:
    """A pool in which each seal may take so many seconds; what it still does at the end is given up."""
    pool = SealPool(seconds)
    try:
        yield pool
    finally:
        pool.close()


def _work(line: "Connection[_Sealing, Order]", parent: int) -> None:
    """Seal what comes, leave it to the parent what Ctrl-C means, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    with suppress(EOFError):
        while True:
            line.send(_accounted(line.recv()))


def _accounted(order: Order) -> _Sealing:
    made = _sealed(order)
    own, programs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime
    return _Sealing(made, os.getpid(), cpu_s, peak_rss_bytes() + programs.ru_maxrss * 1024)


def _remove_leftovers(order: Order) -> None:
    """Remove what a process that was killed had no time to remove."""
    shutil.rmtree(order.spool, ignore_errors=True)
    for unfinished in order.out.parent.glob(f"{glob.escape(unfinished_prefix(order.out))}*"):
        unfinished.unlink(missing_ok=True)


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
        return _Refused(
            Cause.NOT_KEPT, f"{order.spool} does not take what is laid out: {error.strerror or error}", None
        )
