"""Jobs and their stream: whole frames only, limits that hold, and a hanging read named."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.jobs import CHUNK, DATA, FRAME, Carrier, Outlet
from diag.nodekit.machine import Machine


@dataclass(frozen=True)
class Brings:
    """Sends what it is told to, then does something else."""

    content: bytes
    then: str = "end"
    name: str = "it"
    seconds: float = 5.0
    facts: dict[str, Any] = field(default_factory=lambda: {"status": "collected"})

    def work(self, machine: Machine, outlet: Outlet) -> dict[str, Any]:
        outlet.send(self.content)
        if self.then == "die":
            os._exit(3)
        if self.then == "hang":
            outlet.about_to({"op": "read", "path": "/sys/hangs"})
            time.sleep(60)
        if self.then == "raise":
            raise ZeroDivisionError
        return dict(self.facts)

    def last_words(self, note: dict[str, Any]) -> bytes:
        return json.dumps(note).encode()


def carried(*jobs: Brings, seconds: float = 20.0, budget: int = 10**9) -> tuple[list[dict[str, Any]], list[bytes]]:
    out = io.BytesIO()
    carrier = Carrier(Machine(), out, deadline=time.monotonic() + seconds, budget=budget)
    facts = carrier.carry(jobs)
    carrier.close()
    contents, position, stream = [b""] * len(jobs), 0, out.getvalue()
    while position < len(stream):
        kind, number, packed, raw = FRAME.unpack_from(stream, position)
        position += FRAME.size + packed
        content = zlib.decompress(stream[position - packed : position])
        assert (kind, len(content)) == (DATA, raw)
        contents[number] += content
    return facts, contents


def test_contents_and_facts_keep_the_order_of_the_jobs() -> None:
    sizes = (0, 1, CHUNK, CHUNK + 1, 5 * CHUNK)
    facts, contents = carried(*(Brings(os.urandom(1) * size) for size in sizes))
    assert [len(content) for content in contents] == list(sizes)
    assert [fact["bytes"] for fact in facts] == list(sizes)
    assert all(fact["status"] == "collected" and len(fact["sha256"]) == 64 for fact in facts)


def test_a_child_that_dies_or_breaks_is_told_with_what_it_had_sent() -> None:
    facts, contents = carried(Brings(b"before", "die"), Brings(b"more", "raise"), Brings(b"well"))
    assert [fact.get("reason") for fact in facts] == ["io_error", "io_error", None]
    assert contents == [b"before", b"more", b"well"]
    assert [fact["bytes"] for fact in facts] == [6, 4, 4]


def test_a_read_that_hangs_is_named_and_costs_its_own_job() -> None:
    facts, contents = carried(Brings(b"", "hang", seconds=0.3), Brings(b"well"))
    assert facts[0]["reason"] == "timeout"
    assert json.loads(contents[0]) == {"op": "read", "path": "/sys/hangs"}
    assert facts[1]["status"] == "collected"


def test_the_limit_of_bytes_ends_the_collection_and_names_what_is_left_out() -> None:
    noise = os.urandom(CHUNK)
    facts, contents = carried(*(Brings(noise * 8) for _ in range(20)), budget=4 * CHUNK)
    assert sum(map(len, contents)) <= 4 * CHUNK + 8 * CHUNK
    assert {fact["reason"] for fact in facts if fact["status"] != "collected"} == {"precondition"}
    assert facts[-1] == {
        "status": "missing",
        "reason": "precondition",
        "words": "the limit of bytes for the whole collection was reached",
        "bytes": 0,
        "wall_ms": 0,
    }


@pytest.mark.parametrize("seconds", [0.4])
def test_the_time_of_the_collection_is_kept_whatever_the_jobs_allow_themselves(seconds: float) -> None:
    facts, _ = carried(*(Brings(b"", "hang", seconds=60.0) for _ in range(5)), seconds=seconds)
    assert [fact["reason"] for fact in facts] == ["timeout"] * 5


class Slow(io.BytesIO):
    """Takes its time for the first write."""

    def write(self, content: Any) -> int:
        if not self.tell():
            time.sleep(1.5)
        return super().write(content)


def test_while_nobody_takes_what_it_has_to_say_the_time_of_a_job_stands_still() -> None:
    out = Slow()
    carrier = Carrier(Machine(), out, deadline=time.monotonic() + 20, budget=10**9)
    facts = carrier.carry([Brings(os.urandom(CHUNK * 8), seconds=0.2), Brings(os.urandom(CHUNK * 8), seconds=0.2)])
    assert [fact["status"] for fact in facts] == ["collected", "collected"]


class Gone(io.BytesIO):
    """Nobody reads any more."""

    def write(self, content: Any) -> int:
        raise BrokenPipeError


def test_no_child_is_left_behind_when_nobody_reads_any_more() -> None:
    before = living_children()
    carrier = Carrier(Machine(), Gone(), deadline=time.monotonic() + 20, budget=10**9)
    with pytest.raises(BrokenPipeError):
        carrier.carry([Brings(b"", "hang", seconds=60.0), Brings(b"", "hang", seconds=60.0), Brings(b"said")])
    give_up = time.monotonic() + 10  # a killed process takes its time to go while the machine is busy
    while living_children() - before and time.monotonic() < give_up:
        time.sleep(0.02)
    assert living_children() <= before


def living_children() -> set[int]:
    """The processes that this one started and that did not end (one that ended and was not waited for is a zombie)."""
    children = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, _, rest = stat.read_text().partition(" (")
            state, parent = rest.rpartition(") ")[2].split()[:2]
            if int(parent) == os.getpid() and state not in "ZX":
                children.add(int(pid))
    return children


SIGNALLED = """
import sys, time
from diag.nodekit.jobs import Carrier
from diag.nodekit.machine import Machine
from tests.nodekit.test_jobs import Brings
carrier = Carrier(Machine(), sys.stdout.buffer, deadline=time.monotonic() + 60, budget=10**9)
print("ready", flush=True)
carrier.carry([Brings(b"", "hang", seconds=60.0), Brings(b"", "hang", seconds=60.0)])
"""


def children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(child) for child in tasks.read_text().split()}


def test_a_termination_ends_the_children_as_well() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SIGNALLED], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as ran:
        while len(children := children_of(ran.pid)) < 2:
            assert ran.poll() is None
            time.sleep(0.01)
        ran.terminate()
        assert ran.wait(timeout=30) == 128 + signal.SIGTERM
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []


DROPPED = """
import os, signal, sys
from diag.nodekit.forked import leaving_in_order

class Going:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

with leaving_in_order() as leaving:
    going = Going()
    del going
    print("still here", flush=True)
    leaving.go_if_asked()
print("not here")
"""


def test_a_termination_that_strikes_where_exceptions_are_dropped_is_not_forgotten() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DROPPED], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    assert (ran.returncode, ran.stdout) == (128 + signal.SIGTERM, "still here\n")
