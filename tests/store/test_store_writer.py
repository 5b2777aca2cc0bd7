"""Writing from asyncio: order, patience, and what becomes of a cancelled caller."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sparkctl.model.event import Addressed
from sparkctl.model.outcome import NodeOutcome
from sparkctl.store import AsyncWriter, RunState, Store
from tests.store.samples import report, reported


def test_records_are_stored_in_the_order_of_the_calls(running: Store) -> None:
    async def sweep() -> None:
        async with AsyncWriter(running) as writer:
            added = [asyncio.ensure_future(writer.add(NodeOutcome.of(reported("r1", f"spark{n}")))) for n in range(30)]
            await asyncio.sleep(0)
            await writer.finish_run(report("r1"))
            assert all(task.done() for task in added)

    asyncio.run(sweep())
    assert [record.node_id for record in running.records("r1")] == [f"spark{n}" for n in range(30)]
    assert running.runs(1)[0].state is RunState.FINISHED


def test_a_slow_disk_stops_the_caller_but_not_the_loop_and_a_cancelled_record_is_kept(running: Store) -> None:
    async def sweep() -> None:
        # Another writer in the middle of its transaction makes ours wait for as long as we like.
        other = sqlite3.connect(running.folder / "state.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writer = AsyncWriter(running)
        tasks = [asyncio.create_task(writer.add(NodeOutcome.of(reported("r1", f"spark{n}")))) for n in range(3)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        assert all(isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*tasks, return_exceptions=True))
        other.execute("ROLLBACK")
        other.close()
        await writer.close()

    asyncio.run(sweep())
    assert [record.node_id for record in running.records("r1")] == ["spark0", "spark1", "spark2"]


def test_an_error_reaches_its_caller_or_else_whoever_closes(running: Store) -> None:
    async def sweep() -> None:
        writer = AsyncWriter(running)
        await writer.add(NodeOutcome.of(reported("r1", "spark01")))
        with pytest.raises(ValueError, match="already has a record"):
            await writer.add(NodeOutcome.of(reported("r1", "spark01")))
        lost = asyncio.create_task(writer.add(NodeOutcome.of(reported("r9", "spark01"))))
        await asyncio.sleep(0)
        lost.cancel()
        with pytest.raises(ValueError, match="r9 is not a running run"):
            await writer.close()
        await asyncio.gather(lost, return_exceptions=True)

    asyncio.run(sweep())


def test_what_comes_together_is_written_together(running: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    add = running.add

    def counting(outcomes: Sequence[NodeOutcome], letters: Sequence[Addressed]) -> None:
        sizes.append(len(outcomes))
        add(outcomes, letters)

    monkeypatch.setattr(running, "add", counting)

    async def sweep() -> None:
        async with AsyncWriter(running) as writer:
            await asyncio.gather(*(writer.add(NodeOutcome.of(reported("r1", f"spark{n}"))) for n in range(7)))
            await writer.add(NodeOutcome.of(reported("r1", "spark7")))

    asyncio.run(sweep())
    assert sizes == [7, 1]


def test_an_error_reaches_every_caller_of_its_batch(running: Store) -> None:
    async def sweep() -> list[object]:
        async with AsyncWriter(running) as writer:
            twice = [writer.add(NodeOutcome.of(reported("r1", "spark01"))) for _ in range(2)]
            return list(await asyncio.gather(*twice, return_exceptions=True))

    assert [type(error) for error in asyncio.run(sweep())] == [ValueError, ValueError]


def test_threads_that_write_at_once_wait_for_each_other(running: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        for stored in [threads.submit(running.add, [NodeOutcome.of(reported("r1", f"spark{n}"))]) for n in range(40)]:
            stored.result()
    assert {record.node_id for record in running.records("r1")} == {f"spark{n}" for n in range(40)}


def test_readers_see_whole_records_while_a_writer_writes(running: Store) -> None:
    stop = threading.Event()
    problems: list[str] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not stop.is_set():
            seen = [record.node_id for record in running.records("r1")]
            if seen != [f"spark{n}" for n in range(len(seen))]:
                problems.append(repr(seen))
            if seen and running.newest(seen[-1]) is None:
                problems.append(f"{seen[-1]} has no newest record")
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        running.add([NodeOutcome.of(reported("r1", f"spark{number}"))])
    stop.set()
    reader.join()
    assert problems == []
    assert reads > 0
