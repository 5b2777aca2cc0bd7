"""Writing to the store from asyncio without stopping the event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sparkctl.model.event import Addressed
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reports import RunReport
from sparkctl.model.sink import Spool
from sparkctl.store.store import Store

GATHER_S = 0.02
"""How long the first outcome waits for others, in seconds: each commit costs as much CPU as several outcomes do."""


class AsyncWriter:
    """One thread that writes, in the order of the calls; every call returns when its data is on disk.

    Outcomes that come close together are stored in one transaction. Whoever awaits is slowed down to the speed of the
    disk, so no more outcomes wait than there are callers. A caller that is cancelled while it waits does not take its
    outcome with it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: list[NodeOutcome] = []
        self._letters: list[Addressed] = []
        self._batch: asyncio.Task[None] | None = None
        self._batches: set[asyncio.Task[None]] = set()

    async def add(self, outcome: NodeOutcome, letters: Sequence[Addressed] = ()) -> None:
        """Store an outcome, and what is to be told of it, as `Store.add` does."""
        self._waiting.append(outcome)
        self._letters += letters
        if self._batch is None:
            self._batch = asyncio.create_task(self._gather())
            self._batches.add(self._batch)
        batch = self._batch
        try:
            await asyncio.shield(batch)
        finally:
            if batch.done():
                self._batches.discard(batch)

    async def finish_run(
        self, report: RunReport, letters: Sequence[Addressed] = (), spools: Mapping[str, Spool] | None = None
    ) -> None:
        """Close the run as `Store.finish_run` does, after all outcomes that were given before."""
        await asyncio.gather(*self._batches, return_exceptions=True)
        finish = self._store.finish_run
        await asyncio.get_running_loop().run_in_executor(self._thread, finish, report, letters, spools)

    async def close(self) -> None:
        """Wait for what is still being written; raises its first error, which no caller was there to receive."""
        results = await asyncio.gather(*self._batches, return_exceptions=True)
        self._batches.clear()
        self._thread.shutdown()
        for result in results:
            if result is not None:
                raise result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _gather(self) -> None:
        await asyncio.sleep(GATHER_S)
        outcomes, self._waiting, self._batch = self._waiting, [], None
        letters, self._letters = self._letters, []
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.add, outcomes, letters)
