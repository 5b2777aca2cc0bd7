"""Visits in several worker processes, for when one core is the limit. Who is visited and when stays with the parent.

A worker is forked before there is an event loop, a thread, a lock or a database. It is told the number of a node and
answers with the outcome; both travel as pickles, behind their length, between two processes of one program. It ends
when its socket does, and so never outlives the parent, however that ended.
"""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sparkctl.errors import UsageError
from sparkctl.executor.fanout import Visitor
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, without_visit
from sparkctl.executor.worker import GRACE_S, TERMINAL_SIGNALS, Carriers, live, pack, receive
from sparkctl.model.durations import told_seconds
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause, Stage

# A worker that is this late (seconds) with an answer, or with stopping, hangs.
_PATIENCE_S = 30.0
# Many times what a record of the largest document takes.
_MOST_PER_DOCUMENT_BYTE = 16
_HINT = "if it was killed, see `dmesg` for a lack of memory; use fewer --workers, and take it up with --resume last"


@dataclass(eq=False)
class _Worker:
    """One process as the parent sees it; `ended` is how it ended, in words."""

    pid: int
    sock: socket.socket
    visits: dict[int, "asyncio.Future[NodeOutcome]"] = field(default_factory=dict)
    handed: int = 0
    writer: asyncio.StreamWriter | None = None
    ended: str | None = None

    def send(self, message: object) -> None:
        """Tell it something; that it is gone is noticed where its answers are read."""
        if self.writer is not None:
            self.writer.write(pack(message))


class Workers:
    """A pool of worker processes; use it with `with`, before any thread is started, and then `at_work`.

    Nodes for which `shared` gives the same value are visited by the same worker, others (None) by the least busy one.
    A worker that dies takes the nodes it was visiting with it, which are not visited again: the program may have run.
    `cpu_s` is the CPU of the workers that have ended with all they ran (seconds), `peak_rss_bytes` the sum of their
    peaks; memory shared with the parent counts in each. Raises UsageError when so many processes cannot be started.
    """

    def __init__(
        self,
        count: int,
        nodes: Sequence[Node],
        errand: Errand,
        carriers: Carriers,
        shared: Callable[[Node], Hashable] = lambda _: None,
    ) -> None:
        if threading.active_count() > 1:
            raise RuntimeError("worker processes must be forked before the first thread")
        self._nodes, self._errand, self._shared = nodes, errand, shared
        self._numbers = {node.node_id: number for number, node in enumerate(nodes)}
        self._limit = _MOST_PER_DOCUMENT_BYTE * errand.limits.document_bytes
        self._homes: dict[Hashable, _Worker] = {}
        self._workers: list[_Worker] = []
        self._last_words = "no worker process was left"
        self.cpu_s, self.peak_rss_bytes = 0.0, 0
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
        try:
            for _ in range(count):
                self._fork(carriers)
        except OSError as error:
            self.close()
            words = f"worker process {len(self._workers) + 1} of {count} cannot be started: {error.strerror}"
            raise UsageError(words, hint="use fewer --workers, or raise the limits (ulimit -u, ulimit -n)") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _fork(self, carriers: Carriers) -> None:
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            live(theirs, self._nodes, self._errand, carriers)
        theirs.close()
        self._workers.append(_Worker(pid, ours))

    @asynccontextmanager
    async def at_work(self, stop: Stop) -> AsyncIterator[Visitor]:
        """The visitor that hands nodes to the workers until `stop`; afterwards all workers have ended."""
        tasks = [asyncio.create_task(self._pass_on(stop))]
        try:
            for worker in self._workers:
                reader, worker.writer = await asyncio.open_unix_connection(sock=worker.sock)
                tasks.append(asyncio.create_task(self._listen(worker, reader)))
            yield self._visit
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.close()

    def close(self) -> None:
        """End every worker and wait for its end; whoever hangs is killed. Harmless when they have ended."""
        alive = self._alive()
        for worker in alive:
            _shut(worker)
        for worker in alive:
            self._reap(worker, GRACE_S + 1)
            worker.ended = "was no longer needed"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _visit(self, node: Node) -> NodeOutcome:
        worker = self._worker_for(node)
        if worker is None:
            words = f"{self._last_words}, the last one, before this node was visited"
            return self._unreported(node, Stage.SCHEDULE, words)
        number = self._numbers[node.node_id]
        answer: asyncio.Future[NodeOutcome] = asyncio.get_running_loop().create_future()
        worker.visits[number] = answer
        worker.handed += 1
        worker.send(number)
        patience = self._errand.limits.node_s + _PATIENCE_S
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(answer)
        except TimeoutError:
            self._end(worker, f"was killed, since it gave no answer for {told_seconds(patience)}")
            return await answer

    def _worker_for(self, node: Node) -> _Worker | None:
        alive = self._alive()
        if not alive:
            return None
        shared = self._shared(node)
        home = self._homes.get(shared)
        if home is None or home.ended is not None:
            home = min(alive, key=lambda worker: (len(worker.visits), worker.handed))
            if shared is not None:
                self._homes[shared] = home
        return home

    def _alive(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.ended is None]

    async def _listen(self, worker: _Worker, reader: asyncio.StreamReader) -> None:
        how = None
        try:
            while (message := await receive(reader, self._limit)) is not None:
                self._take(worker, message)
        except ValueError as error:
            how = f"was killed, since it {error}"
        except OSError:
            pass  # the same as an end of file: how it ended is told by its status
        self._end(worker, how)

    def _take(self, worker: _Worker, message: object) -> None:
        match message:
            case (int(number), NodeOutcome() as outcome) if number in worker.visits:
                if outcome.node_id != self._nodes[number].node_id:
                    raise ValueError("answered for another node")
                worker.visits.pop(number).set_result(outcome)
            case _:
                raise ValueError("sent something that is no outcome")

    async def _pass_on(self, stop: Stop) -> None:
        await stop.wait()
        for worker in self._alive():
            worker.send((stop.cause, stop.words))
        await asyncio.sleep(_PATIENCE_S)
        for worker in self._alive():
            if worker.visits:
                self._end(worker, f"was killed, since it did not stop within {told_seconds(_PATIENCE_S)}")

    def _end(self, worker: _Worker, how: str | None) -> None:
        """This worker is gone, or goes now; what it was visiting is unreported."""
        if worker.ended is not None:
            return
        worker.ended = f"worker process {worker.pid} {how or ''}"
        _shut(worker)
        status = self._reap(worker, 0.0)
        if how is None:
            worker.ended = f"worker process {worker.pid} {_told(status)}"
        self._last_words = worker.ended
        visits, worker.visits = worker.visits, {}
        for number, answer in visits.items():
            if not answer.done():
                words = f"{worker.ended} while it visited this node; how far it had come is not known"
                answer.set_result(self._unreported(self._nodes[number], Stage.CONNECT, words))

    def _reap(self, worker: _Worker, patience: float) -> int:
        """Wait for its end, and kill it when it does not come; its status as `os.wait4` gives it."""
        give_up = time.monotonic() + patience
        pid, status, usage = os.wait4(worker.pid, os.WNOHANG)
        while pid == 0 and time.monotonic() < give_up:
            time.sleep(0.005)
            pid, status, usage = os.wait4(worker.pid, os.WNOHANG)
        if pid == 0:
            os.kill(worker.pid, signal.SIGKILL)  # one that is ending already keeps the status it has
            _, status, usage = os.wait4(worker.pid, 0)
        self.cpu_s += usage.ru_utime + usage.ru_stime
        self.peak_rss_bytes += usage.ru_maxrss * 1024
        return status

    def _unreported(self, node: Node, stage: Stage, words: str) -> NodeOutcome:
        return NodeOutcome.of(without_visit(node, self._errand, stage, Cause.INTERNAL, words, hint=_HINT))


def _shut(worker: _Worker) -> None:
    if worker.writer is not None:
        worker.writer.transport.abort()
    with suppress(OSError):
        worker.sock.shutdown(socket.SHUT_RDWR)  # at once, while a transport closes in the next turn of the loop
    worker.sock.close()


def _told(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
