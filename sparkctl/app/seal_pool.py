"""Seal in processes of their own: redaction takes seconds of a processor, and visits go on meanwhile."""

import asyncio
import ctypes
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from sparkctl.app.sealing import NotSealed, Order, SealedBundle, seal_spool
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


class SealPool:
    """As many processes as there are processors."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    async def seal(self, order: Order) -> SealedBundle:
        """Seal one bundle; raises TransportError(seal) where that was refused or could not be done."""
        try:
            made = await asyncio.get_running_loop().run_in_executor(self._executor, _sealed, order)
        except BrokenProcessPool:
            words = "the process that seals bundles was killed: is there too little memory?"
            raise TransportError(Stage.SEAL, Cause.NOT_KEPT, words) from None
        if isinstance(made, _Refused):
            raise TransportError(Stage.SEAL, made.cause, made.message, hint=made.hint)
        return made


@contextmanager
def seal_pool() -> Iterator[SealPool]:
    """A pool; what it still does at the end is given up."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit connections and locks
    executor = ProcessPoolExecutor(os.cpu_count() or 1, context, _live_with, (os.getpid(),))
    try:
        yield SealPool(executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _live_with(parent: int) -> None:
    """Leave it to the parent what Ctrl-C means, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


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
