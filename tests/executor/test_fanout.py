"""Everybody gets a record: on time, too late, stopped, unreachable, or struck by a bug of ours."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkctl.executor.fanout import FanOut, VisitHere
from sparkctl.executor.limits import Limits
from sparkctl.executor.queue import NO_LIMITS, NodeQueue, PlaceLimits
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand
from sparkctl.model.inventory import Node, SshSettings
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Outcome, Stage
from sparkctl.probes.program import Program, bundle
from sparkctl.resources import shipped
from sparkctl.transport.local import LocalSession, LocalTransport
from sparkctl.transport.seam import Deadlines, Transport
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh import AsyncsshTransport
from tests.support.command import environment
from tests.support.envelopes import local_node

LIMITS = Limits(node_s=20, program_s=15, concurrency=4, attempts=3)


@pytest.fixture(autouse=True)
def _python3_is_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", environment(tmp_path)["PATH"])


def errand(text: bytes | None = None, limits: Limits = LIMITS) -> Errand:
    program = bundle(shipped("diag")) if text is None else Program("test", text, {})
    return Errand("run", program, limits)


def record_of(outcome: NodeOutcome) -> RunRecord:
    """The record that an outcome carries as text; both must tell the same."""
    record = RunRecord.model_validate_json(outcome.record)
    assert NodeOutcome.of(record) == outcome
    return record


def run(
    nodes: list[Node],
    what: Errand,
    transport: Transport | None = None,
    when_recorded: Callable[[RunRecord, Stop], None] = lambda _record, _stop: None,
    places: PlaceLimits = NO_LIMITS,
) -> dict[str, RunRecord]:
    records: dict[str, RunRecord] = {}

    async def go() -> None:
        stop = Stop()
        carrier = transport or LocalTransport()

        async def keep(outcome: NodeOutcome) -> None:
            assert outcome.node_id not in records
            records[outcome.node_id] = record = record_of(outcome)
            when_recorded(record, stop)

        await FanOut(what, VisitHere(what, lambda _: carrier, stop), keep, stop, places).run(nodes)
        await carrier.close()

    asyncio.run(go())
    return records


def some(count: int) -> list[Node]:
    return [local_node(f"node{number}") for number in range(count)]


def test_every_node_gets_its_record() -> None:
    records = run(some(6), errand())
    assert {record.outcome for record in records.values()} == {Outcome.REPORTED}
    assert len(records) == 6
    one = records["node0"]
    assert one.visit is not None
    assert one.visit.sent_bytes > 10_000
    assert Stage.RUN in one.visit.stages_ms


def test_a_stopped_run_accounts_for_everybody() -> None:
    def stop_at_the_first(record: RunRecord, stop: Stop) -> None:
        stop.set()

    slow = b"import os, time; time.sleep(0.2 if os.path.exists('/nowhere') else 60)"
    quick = errand(b"", replace(LIMITS, concurrency=1))
    records = run(some(5), quick, when_recorded=stop_at_the_first)
    assert [record.failure.stage for record in records.values() if record.failure][1:] == [Stage.SCHEDULE] * 4
    assert len(records) == 5

    async def stop_soon() -> dict[str, RunRecord]:
        kept: dict[str, RunRecord] = {}
        stop = Stop()

        async def keep(outcome: NodeOutcome) -> None:
            kept[outcome.node_id] = record_of(outcome)

        carrier = LocalTransport()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        what = errand(slow, replace(LIMITS, concurrency=3))
        await FanOut(what, VisitHere(what, lambda _: carrier, stop), keep, stop).run(some(5))
        return kept

    records = asyncio.run(stop_soon())
    assert {record.status for record in records.values()} == {"run.interrupted", "schedule.interrupted"}
    assert len(records) == 5


def test_a_program_that_does_not_end_costs_the_run_deadline() -> None:
    limits = replace(LIMITS, program_s=0.3, exit_grace_s=0.2)
    record = run(some(1), errand(b"import time; time.sleep(60)", limits))["node0"]
    assert record.status == "run.timeout"


def test_the_deadline_of_the_whole_visit_counts_too() -> None:
    record = run(some(1), errand(b"import time; time.sleep(60)", replace(LIMITS, node_s=0.5)))["node0"]
    assert record.status == "run.timeout"
    assert record.failure is not None
    assert "for the whole visit" in record.failure.message


def test_another_serial_than_the_enrolled_one_is_refused() -> None:
    text = bundle(shipped("diag")).text.replace(b"/sys/class/dmi/id/product_serial", b"/proc/sys/kernel/hostname")
    program = Program("test", text, bundle(shipped("diag")).checks)
    here = socket.gethostname()
    records = run([local_node("good", serial=here), local_node("bad", serial="S1")], Errand("run", program, LIMITS))
    assert records["good"].outcome is Outcome.REPORTED
    failure = records["bad"].failure
    assert failure is not None
    assert failure.cause is Cause.IDENTITY_MISMATCH
    assert here in failure.message


def test_a_record_that_cannot_be_kept_ends_the_run() -> None:
    def fail(record: RunRecord, stop: Stop) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(some(3), errand(b""), when_recorded=fail)


@contextmanager
def refusing_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_connecting_is_retried_and_counted(tmp_path: Path) -> None:
    with refusing_port() as port:
        node = Node(node_id="down", ssh=SshSettings(host="127.0.0.1", port=port, user="x", agent=False), origin="t:1")
        carrier = AsyncsshTransport(TransportSettings(pins_file=tmp_path / "pins"))
        failure = run([node], errand(), carrier)["down"].failure
    assert failure is not None
    assert (failure.stage, failure.cause, failure.attempts) == (Stage.CONNECT, Cause.CONNECTION_REFUSED, 3)
    assert failure.hint


def test_what_cannot_help_is_not_tried_again(tmp_path: Path) -> None:
    ssh = SshSettings(host="127.0.0.1", identity_files=[tmp_path / "absent"], agent=False)
    node = Node(node_id="odd", ssh=ssh, origin="t:1")
    carrier = AsyncsshTransport(TransportSettings(pins_file=tmp_path / "pins"))
    failure = run([node], errand(), carrier)["odd"].failure
    assert failure is not None
    assert (failure.cause, failure.attempts) == (Cause.BAD_SETTINGS, 1)


def test_a_message_longer_than_a_record_holds_is_cut(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200) / ("a" * 200) / ("b" * 200)
    node = Node(node_id="n" * 253, ssh=SshSettings(identity_files=[path], agent=False), origin="t:1")
    carrier = AsyncsshTransport(TransportSettings(pins_file=tmp_path / "pins"))
    failure = run([node], errand(), carrier)["n" * 253].failure
    assert failure is not None
    assert failure.message.endswith("…")


def test_sessions_are_closed_whatever_happens(tmp_path: Path) -> None:
    closed: list[LocalSession] = []

    class WatchedSession(LocalSession):
        async def close(self) -> None:
            closed.append(self)
            await super().close()

    class Watched(LocalTransport):
        async def connect(self, node: Node, deadlines: Deadlines) -> LocalSession:
            return WatchedSession()

    limits = replace(LIMITS, program_s=0.2, exit_grace_s=0.1)
    run(some(2), errand(b"import time; time.sleep(60)", limits), Watched())
    assert len(closed) == 2


def test_a_program_is_never_run_twice(tmp_path: Path) -> None:
    count = tmp_path / "count"
    record = run(some(1), errand(f"open({str(count)!r}, 'a').write('x'); raise SystemExit(9)".encode()))["node0"]
    assert record.status == "run.exit_status"
    assert (record.rc, count.read_text()) == (9, "x")


def test_a_bug_of_ours_is_said_to_be_one_and_spares_the_others() -> None:
    class Broken(LocalTransport):
        async def connect(self, node, deadlines):  # type: ignore[no-untyped-def]
            if node.node_id == "node1":
                raise ZeroDivisionError("our bug")
            return await super().connect(node, deadlines)

    records = run(some(3), errand(), Broken())
    assert records["node1"].status == "connect.internal"
    assert {records[name].outcome for name in ("node0", "node2")} == {Outcome.REPORTED}


def counting_program(folder: Path) -> bytes:
    """A program that notes in `seen` how many of its kind run at once."""
    return f"""
import os, time
here = {str(folder / "running")!r}
os.makedirs(here, exist_ok=True)
mine = os.path.join(here, str(os.getpid()))
open(mine, "w").close()
time.sleep(0.3)
print(len(os.listdir(here)), file=open({str(folder / "seen")!r}, "a"))
os.unlink(mine)
""".encode()


def most_at_once(folder: Path) -> int:
    return max(int(line) for line in (folder / "seen").read_text().split())


def test_concurrency_is_bounded(tmp_path: Path) -> None:
    run(some(8), errand(counting_program(tmp_path), replace(LIMITS, concurrency=2)))
    assert most_at_once(tmp_path) <= 2
    assert os.listdir(tmp_path / "running") == []


def placed(name: str, **places: Any) -> Node:
    jump = places.pop("jump", None)
    return local_node(name, ssh=SshSettings(jump=[jump] if jump else []), **places)


def test_places_bound_how_many_are_visited_at_once(tmp_path: Path) -> None:
    nodes = [placed(f"node{number}", rack="a1") for number in range(6)]
    run(nodes, errand(counting_program(tmp_path), replace(LIMITS, concurrency=6)), places=PlaceLimits(rack=2))
    assert most_at_once(tmp_path) == 2


def test_the_queue_lets_others_pass_and_keeps_every_limit() -> None:
    limits = PlaceLimits(rack=1, jump=2)
    nodes = [
        *(placed(f"a{number}", rack="a", jump="gate") for number in range(3)),
        *(placed(f"b{number}", rack="b", jump="gate") for number in range(2)),
        placed("c0", rack="c", jump="gate"),
        placed("free"),
    ]

    async def go() -> None:
        queue = NodeQueue(nodes, limits)
        first = [await queue.take() for _ in range(3)]
        assert [node.node_id for node in first if node] == ["a0", "b0", "free"]
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert first[1] is not None
        await queue.give_back(first[1])
        after = await waiting
        assert after is not None
        assert after.node_id == "c0"
        await queue.close()
        assert await queue.take() is None
        assert sorted(node.node_id for node in queue.left()) == ["a1", "a2", "b1"]

    asyncio.run(go())


def test_the_deadline_of_the_run_accounts_for_everybody() -> None:
    slow = b"import time; time.sleep(60)"

    async def go() -> dict[str, RunRecord]:
        kept: dict[str, RunRecord] = {}
        stop = Stop()

        async def keep(outcome: NodeOutcome) -> None:
            kept[outcome.node_id] = record_of(outcome)

        asyncio.get_running_loop().call_later(0.4, stop.set, Cause.RUN_DEADLINE, "the deadline passed")
        carrier = LocalTransport()
        limits = PlaceLimits(rack=1)
        nodes = [local_node(f"node{number}", rack="a1") for number in range(4)]
        what = errand(slow)
        await FanOut(what, VisitHere(what, lambda _: carrier, stop), keep, stop, limits).run(nodes)
        return kept

    records = asyncio.run(go())
    assert sorted(record.status for record in records.values()) == ["run.run_deadline"] + ["schedule.run_deadline"] * 3
    assert all(record.failure and "the deadline passed before" in record.failure.message for record in records.values())
