"""Jobs that bring more than one answer can hold: each in a child of its own, and its bytes passed on as they come.

As in `workers`, the parent reads nothing of the machine, so that a read that hangs costs its own job. What goes out is
a stream: a first line, then frames (kind, number of the job, packed bytes, raw bytes), then one that says the end.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import selectors
import struct
import time
import zlib
from collections.abc import Sequence
from typing import BinaryIO, Protocol

from diag.nodekit.forked import end_group, lead_a_group, leaving_in_order
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import TakenStatus, UnknownReason
from diag.nodekit.workers import GRACE_SECONDS, POLL_SECONDS

STREAM_MAGIC = "sparkctl-stream/1"
FRAME = struct.Struct(">cHII")
DATA, END = b"D", b"E"
FACTS = b"F"  # from a child to its parent only
CHUNK = 64 * 1024
PACKING = 1  # zlib's quickest: a node has little CPU to spare, and logs shrink all the same


class Outlet:
    """The way out of a child: bytes to send, and the read that it is about to make, in case it never returns."""

    def __init__(self, out: BinaryIO, doing: mmap.mmap) -> None:
        self._out, self._doing = out, doing
        self._digest, self._size = hashlib.sha256(), 0

    def send(self, content: bytes) -> None:
        """Send bytes on, packed."""
        for start in range(0, len(content), CHUNK):
            raw = content[start : start + CHUNK]
            packed = zlib.compress(raw, PACKING)
            self._out.write(FRAME.pack(DATA, 0, len(packed), len(raw)) + packed)
            self._digest.update(raw)
            self._size += len(raw)
        self._out.flush()

    def about_to(self, read: Document) -> None:
        """Leave word of a read where the parent finds it."""
        self._doing[:] = json.dumps(read).encode()[: len(self._doing)].ljust(len(self._doing), b"\0")

    def finish(self, facts: Document) -> None:
        """Send the facts of the job with the count of what was sent."""
        body = json.dumps({**facts, "bytes": self._size, "sha256": self._digest.hexdigest()}).encode()
        self._out.write(FRAME.pack(FACTS, 0, len(body), len(body)) + body)


class Job(Protocol):
    """Something to bring from a machine, within a budget of seconds."""

    @property
    def name(self) -> str:
        """What it brings, in a word."""

    @property
    def seconds(self) -> float:
        """The budget, in seconds."""

    def work(self, machine: Machine, outlet: Outlet) -> Document:
        """Send bytes, and return what there is to say about them; may raise what a read of the machine raises."""

    def last_words(self, note: Document) -> bytes:
        """What is still to be sent when the child was killed in the read that `note` names; nothing as a rule."""


class Child:
    """The process of one job."""

    def __init__(self, number: int, job: Job, machine: Machine, deadline: float) -> None:
        self.number, self.job, self.deadline = number, job, deadline
        self.started = time.monotonic()
        self.raw, self.facts, self._arrived = 0, b"", bytearray()
        self._doing = mmap.mmap(-1, mmap.PAGESIZE)
        self.read_end, write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.read_end)
            _live(job, machine, write_end, self._doing)
        os.close(write_end)

    def take(self) -> list[tuple[bytes, int]]:
        """The whole frames of data that have arrived, as (packed, raw bytes); raises EOFError at the end."""
        chunk = os.read(self.read_end, CHUNK)
        if not chunk:
            raise EOFError
        self._arrived += chunk
        frames = []
        while len(self._arrived) >= FRAME.size:
            kind, _, packed, raw = FRAME.unpack_from(self._arrived)
            end = FRAME.size + packed
            if len(self._arrived) < end:
                break
            body = bytes(self._arrived[FRAME.size : end])
            del self._arrived[:end]
            if kind == FACTS:
                self.facts = body
            else:
                self.raw += raw
                frames.append((body, raw))
        return frames

    @property
    def doing(self) -> Document | None:
        """The read that the child was about to make when it last said so."""
        text = bytes(self._doing).rstrip(b"\0")
        try:
            return json.loads(text) if text else None
        except ValueError:  # it was killed while it wrote
            return None

    def end(self) -> None:
        """Kill what still runs of it; never waits for a child that cannot die."""
        os.close(self.read_end)
        self._doing.close()
        end_group(self.pid)


def _live(job: Job, machine: Machine, write_end: int, doing: mmap.mmap) -> None:
    """The life of a child; never returns."""
    try:
        lead_a_group()
        with os.fdopen(write_end, "wb") as out:
            outlet = Outlet(out, doing)
            facts = job.work(machine, outlet)
            outlet.finish({**facts, "children": machine.meter.children, "read_bytes": machine.meter.bytes})
    finally:
        os._exit(0)


class Carrier:
    """Does jobs in their order, some at a time, and passes their bytes on to `out` until `deadline` and `budget`.

    `deadline` is in monotonic seconds, `budget` in raw bytes, `first` the number of its first job in the stream.
    """

    def __init__(
        self, machine: Machine, out: BinaryIO, *, deadline: float, budget: int, lanes: int = 3, first: int = 0
    ) -> None:
        self._machine, self._out, self._deadline, self._budget, self._lanes = machine, out, deadline, budget, lanes
        self._first = first
        self._selector = selectors.DefaultSelector()
        self._busy: list[Child] = []
        self._sent = 0

    def close(self) -> None:
        """Let go of what the carrier itself holds."""
        self._selector.close()

    def carry(self, jobs: Sequence[Job]) -> list[Document]:
        """The facts of every job, in their order: what it said of itself, or why it did not come to its end."""
        facts: dict[int, Document] = {}
        numbers = range(self._first, self._first + len(jobs))
        waiting = list(zip(numbers, jobs, strict=True))
        with leaving_in_order() as leaving:
            try:
                while (waiting or self._busy) and time.monotonic() < self._deadline and self._sent <= self._budget:
                    leaving.go_if_asked()
                    while waiting and len(self._busy) < self._lanes:
                        self._hire(*waiting.pop(0))
                    facts |= self._wait()
                reason, words = self._why_over()
                for child in list(self._busy):
                    facts[child.number] = self._dismiss(child, reason, words)
            finally:
                self._abandon()
        return [facts.get(number, _unmade(reason, words)) for number in numbers]

    def _why_over(self) -> tuple[str, str]:
        """Why what has not come by now does not come."""
        if self._sent > self._budget:
            return UnknownReason.PRECONDITION, "the limit of bytes for the whole collection was reached"
        return UnknownReason.TIMEOUT, "the collection's time ran out"

    def _abandon(self) -> None:
        """End whoever is still there: nobody takes what they have to say any more."""
        while self._busy:
            child = self._busy.pop()
            self._selector.unregister(child.read_end)
            child.end()

    def _hire(self, number: int, job: Job) -> None:
        child = Child(number, job, self._machine, time.monotonic() + job.seconds + GRACE_SECONDS)
        self._selector.register(child.read_end, selectors.EVENT_READ, child)
        self._busy.append(child)

    def _wait(self) -> dict[int, Document]:
        done: dict[int, Document] = {}
        for key, _ in self._selector.select(POLL_SECONDS):
            child: Child = key.data
            try:
                for packed, raw in child.take():
                    self._pass_on(child.number, packed, raw)
            except EOFError:
                done[child.number] = self._dismiss(child, UnknownReason.IO_ERROR, "the process that looked died")
        now = time.monotonic()
        for child in [child for child in self._busy if now > child.deadline]:
            done[child.number] = self._dismiss(child, UnknownReason.TIMEOUT, "did not come back within its budget")
        return done

    def _pass_on(self, number: int, packed: bytes, raw: int) -> None:
        self._sent += raw
        started = time.monotonic()
        self._out.write(FRAME.pack(DATA, number, len(packed), raw) + packed)
        for child in self._busy:  # while nobody takes what it has to say, its time stands still
            child.deadline += time.monotonic() - started

    def _dismiss(self, child: Child, reason: str, words: str) -> Document:
        """Let a child go: with its own facts where it came to its end, else with the reason."""
        self._selector.unregister(child.read_end)
        self._busy.remove(child)
        doing = child.doing
        child.end()
        wall = {"wall_ms": round((time.monotonic() - child.started) * 1000)}
        if child.facts:
            return {**json.loads(child.facts), **wall}
        if reason == UnknownReason.TIMEOUT and doing is not None and (last := child.job.last_words(doing)):
            self._pass_on(child.number, zlib.compress(last, PACKING), len(last))
            child.raw += len(last)
        status = TakenStatus.PARTIAL if child.raw else TakenStatus.MISSING
        return {**_unmade(reason, words), "status": status, "bytes": child.raw, **wall}


def _unmade(reason: str, words: str) -> Document:
    return {"status": TakenStatus.MISSING, "reason": reason, "words": words, "bytes": 0, "wall_ms": 0}
