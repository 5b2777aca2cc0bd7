"""Judge in child processes, so that one that hangs costs its own budget and nothing else.

A read of sysfs can sit in the kernel where no signal reaches it. The parent therefore reads nothing itself: it hands
tasks to forked workers, kills a worker that overruns (with its commands: a worker leads its own process group)
and replaces it. A worker that cannot die is left behind; it holds none of our streams.
"""

from __future__ import annotations

import json
import os
import selectors
import time
from collections.abc import Sequence
from typing import Any, Protocol

from diag.nodekit.forked import end_group, lead_a_group, leaving_in_order
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import UnknownReason

GRACE_SECONDS = 0.5  # on top of a task's own budget, so that its commands time out by themselves first
MAX_ANSWER = 256 * 1024
POLL_SECONDS = 0.05


class Task(Protocol):
    """Something to look at in a worker, within a budget of seconds."""

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """The documents of this task, and what broke in a way that is our own bug."""

    def unjudged(self, reason: str, summary: str) -> list[Document]:
        """The documents of this task for when it did not come back."""


class Worker:
    """One child process and the pipes to it."""

    def __init__(self, tasks: Sequence[Task], machine: Machine) -> None:
        task_read, self.task_write = os.pipe()
        self.answer_read, answer_write = os.pipe()
        self.task: int | None = None
        self.deadline = 0.0
        self.received = bytearray()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.task_write)
            os.close(self.answer_read)
            _serve(task_read, answer_write, tasks, machine)
        os.close(task_read)
        os.close(answer_write)

    def give(self, task: int, deadline: float) -> None:
        """Hand over the index of a task, to be answered by `deadline` (monotonic seconds)."""
        self.task, self.deadline = task, deadline
        os.write(self.task_write, b"%d\n" % task)

    def take(self) -> dict[str, Any] | None:
        """Read what has arrived; the answer when it is whole. Raises EOFError when the worker is gone."""
        chunk = os.read(self.answer_read, 65536)
        if not chunk or len(self.received) > MAX_ANSWER:
            raise EOFError
        self.received += chunk
        if not self.received.endswith(b"\n"):
            return None
        answer: dict[str, Any] = json.loads(self.received)
        self.received.clear()
        self.task = None
        return answer

    def stop(self) -> None:
        """Kill the worker and whatever it started; never waits for one that cannot die."""
        os.close(self.task_write)
        os.close(self.answer_read)
        end_group(self.pid)


class Results:
    """What came back: documents, our own bugs, and what the workers read and started."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.bugs: list[str] = []
        self.children = 0
        self.bytes = 0

    def add(self, answer: dict[str, Any]) -> None:
        """Add one worker's answer."""
        self.documents += answer["documents"]
        self.bugs += answer["bugs"]
        self.children += answer["children"]
        self.bytes += answer["bytes"]


def judge_all(tasks: Sequence[Task], machine: Machine, *, deadline: float, workers: int = 4) -> Results:
    """Do every task before `deadline` (monotonic seconds); what did not come back is unknown, timeout."""
    pool = _Pool(tasks, machine, deadline)
    with leaving_in_order() as leaving:
        try:
            for _ in range(min(workers, len(tasks))):
                pool.hire()
            while pool.busy and time.monotonic() < deadline:
                leaving.go_if_asked()
                pool.wait()
                pool.dismiss_overdue()
        finally:
            pool.close()
    return pool.results


class _Pool:
    def __init__(self, tasks: Sequence[Task], machine: Machine, deadline: float) -> None:
        self.tasks = tasks
        self.machine = machine
        self.deadline = deadline
        self.waiting = list(range(len(tasks)))
        self.selector = selectors.DefaultSelector()
        self.busy: list[Worker] = []
        self.results = Results()

    def hire(self) -> None:
        if not self.waiting:
            return
        worker = Worker(self.tasks, self.machine)
        self.results.children += 1
        self.selector.register(worker.answer_read, selectors.EVENT_READ, worker)
        self.busy.append(worker)
        self.assign(worker)

    def assign(self, worker: Worker) -> None:
        if not self.waiting:
            self.dismiss(worker)
            return
        task = self.waiting.pop(0)
        worker.give(task, time.monotonic() + self.tasks[task].seconds + GRACE_SECONDS)

    def wait(self) -> None:
        for key, _ in self.selector.select(POLL_SECONDS):
            worker: Worker = key.data
            try:
                answer = worker.take()
            except EOFError:
                self.lose(worker, UnknownReason.IO_ERROR, "the process that looked died")
                continue
            if answer is not None:
                self.results.add(answer)
                self.assign(worker)

    def dismiss_overdue(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self.busy if now > worker.deadline]:
            self.lose(worker, UnknownReason.TIMEOUT, "did not come back within its budget")

    def lose(self, worker: Worker, reason: str, summary: str) -> None:
        task = worker.task
        self.dismiss(worker)
        if task is not None:
            self.results.documents += self.tasks[task].unjudged(reason, summary)
        self.hire()

    def dismiss(self, worker: Worker) -> None:
        self.selector.unregister(worker.answer_read)
        self.busy.remove(worker)
        worker.stop()

    def close(self) -> None:
        unfinished = [worker.task for worker in self.busy if worker.task is not None] + self.waiting
        for worker in list(self.busy):
            self.dismiss(worker)
        self.selector.close()
        for task in unfinished:
            self.results.documents += self.tasks[task].unjudged(UnknownReason.TIMEOUT, "the program's own time ran out")


def _serve(task_read: int, answer_write: int, tasks: Sequence[Task], machine: Machine) -> None:
    """The life of a worker; never returns."""
    try:
        lead_a_group()
        with os.fdopen(task_read, "rb") as orders, os.fdopen(answer_write, "wb") as answers:
            for line in orders:
                answers.write(_answer(tasks[int(line)], machine))
                answers.flush()
    finally:
        os._exit(0)


def _answer(task: Task, machine: Machine) -> bytes:
    machine.meter.children = machine.meter.bytes = 0
    documents, bugs = task.judge(machine)
    answer = {"documents": documents, "bugs": bugs, "children": machine.meter.children, "bytes": machine.meter.bytes}
    return json.dumps(answer).encode() + b"\n"
